"""The deployment's picture: who is who, and that no box covers another."""

from __future__ import annotations

from itertools import pairwise

import pytest

from redis_fleet.report.layout import Drawing, Line, narrow, overlaps, wide
from redis_fleet.report.picture import OUTSIDE, Arrow, Node, Picture, Watching, picture_of
from tests.report.sample import rows, wide_picture
from tests.unit.cases.builder import FLEETS, fleet_of

SAMPLES = ["standalone", "replication", "sentinel", "shared-machines"]
ALL = [*SAMPLES, *sorted(path.name.removesuffix(".redis.yml") for path in FLEETS.glob("*.redis.yml"))]


def test_who_is_who_as_described() -> None:
    found = picture_of(fleet_of("sentinel"))

    assert [(node.id, node.role) for node in found.nodes] == [
        ("orders-6379@red1", "master"),
        ("orders-6379@red2", "replica"),
        ("orders-6379@red3", "replica"),
        *((f"sentinel-26379@red{number}", "sentinel") for number in (1, 2, 3)),
    ]
    assert found.arrows == tuple(Arrow(f"orders-6379@red{number}", "orders-6379@red1") for number in (2, 3))
    assert found.watched == (Watching("orders", "orders", 2),)
    assert not found.asked
    assert found.sentences == [
        "orders: master orders-6379@red1; replicas orders-6379@red2, orders-6379@red3;"
        " watched by 3 Sentinels, quorum 2."
    ]


def test_what_the_processes_say_counts() -> None:
    """After a failover: another master, one down, one whose link is broken."""
    fleet = fleet_of("sentinel")
    said = rows(fleet, down="orders-6379@red1")
    endpoint = str(fleet.services[0].processes[1].endpoint)
    said[1] |= {"role": "master", "follows": None, "link": None}
    said[2] |= {"follows": endpoint, "link": "down"}
    found = picture_of(fleet, said)

    assert [(node.role, node.note) for node in found.nodes[:3]] == [
        ("down", "does not answer"),
        ("master", ""),
        ("replica", "link down"),
    ]
    assert found.arrows == (Arrow("orders-6379@red3", "orders-6379@red2"),)
    assert "orders-6379@red1 does not answer" in found.sentences[0]


def test_a_master_outside_is_shown_outside() -> None:
    fleet = fleet_of("replication")
    said = rows(fleet)
    for row in said:
        row |= {"role": "replica", "follows": "[fd00::9]:6379", "link": "up"}
    found = picture_of(fleet, said)

    assert found.machines[-1][0] == OUTSIDE
    assert Node("[fd00::9]:6379", OUTSIDE, fleet.services[0].name, 6379, "master", "fd00::9") in found.nodes
    assert {arrow.master for arrow in found.arrows} == {"[fd00::9]:6379"}
    assert not list(overlaps(wide(found)))


@pytest.mark.parametrize("name", ALL)
def test_no_box_covers_another_and_all_are_inside(name: str) -> None:
    fleet = fleet_of(name)
    for picture in (picture_of(fleet), picture_of(fleet, rows(fleet))):
        for drawing in (wide(picture), narrow(picture)):
            assert not list(overlaps(drawing))
            assert inside(drawing)
            assert len([box for box in drawing.boxes if box.kind != "machine"]) == len(picture.nodes)
            follows = [line for line in drawing.lines if line.kind == "follows"]
            assert len(follows) == len(picture.arrows)
            assert all(straight(line) for line in drawing.lines)
        assert narrow(picture).width <= 310


def inside(drawing: Drawing) -> bool:
    """Say whether all boxes and lines are within the drawing."""
    wide, high = drawing.width, drawing.height
    boxes = all(box.x >= 0 and box.x + box.width <= wide and box.bottom <= high for box in drawing.boxes)
    points = [point for line in drawing.lines for point in line.points]
    return boxes and all(0 <= x <= wide and 0 <= y <= high for x, y in points)


def straight(line: Line) -> bool:
    """Say whether a line only goes along and across."""
    return all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(line.points))


def test_two_processes_of_a_service_on_one_machine_and_a_chain_of_replicas() -> None:
    nodes = (
        Node("a-1@m1", "m1", "a", 1, "master"),
        Node("a-2@m1", "m1", "a", 2, "replica"),
        Node("a-1@m2", "m2", "a", 1, "replica"),
    )
    arrows = (Arrow("a-2@m1", "a-1@m1"), Arrow("a-1@m2", "a-2@m1"))
    picture = Picture((("m1", "::1"), ("m2", "::2")), ("a",), nodes, arrows, (), True)

    for drawing in (wide(picture), narrow(picture)):
        assert not list(overlaps(drawing))
        assert inside(drawing)
        first, second = (line.points for line in drawing.lines)
        # The replica in the middle: one line leaves it, another one comes in, and not at the same place.
        assert first[0] != second[-1]
        assert set(first) & set(second) == set()


def test_a_large_fleet_is_drawn_at_once() -> None:
    picture = wide_picture()

    for drawing in (wide(picture), narrow(picture)):
        assert not list(overlaps(drawing))
        assert inside(drawing)
