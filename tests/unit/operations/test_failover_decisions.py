"""The drill's decisions: when it refuses to begin, what it calls a problem, how it never falls silent."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.load_client.writer import Bits
from redis_fleet.agent.messages.client import Tally
from redis_fleet.agent.messages.service import Instance, ServiceAccess, ServiceView
from redis_fleet.agent.secret import Secret
from redis_fleet.model import Fleet, Paths, Process, Service, Watch
from redis_fleet.operations.failover_fitness import disagreements, failover_ended, refusals
from redis_fleet.operations.operation import judge
from redis_fleet.operations.ports import TimelineEvent, waits
from redis_fleet.operations.timeline import Timeline
from redis_fleet.topology.service_access import target as make
from tests.unit.operations.services import REPLICA, member, sentinel, target, view

THIRD = "10.0.0.3:6379"


def test_a_healthy_service_may_be_drilled() -> None:
    assert refusals(target(), view()) == []


def test_one_silent_sentinel_of_three_is_no_reason_to_refuse() -> None:
    assert refusals(target(), view([sentinel(1), sentinel(2, problem="no answer in time"), sentinel(3)])) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (view([sentinel(1), sentinel(2, problem="down"), sentinel(3, problem="down")]), "do not: sentinel@red2 (down)"),
        (view([sentinel(1), sentinel(2, problem="down")]), "no majority of the 2"),
        (view([sentinel(1), sentinel(2, master=REPLICA), sentinel(3, master=THIRD)]), "red2 names orders@red2"),
        (view([sentinel(1), sentinel(2), sentinel(3, quorum_ok=False, quorum="NOQUORUM 1")]), "red3 could not"),
        (view([sentinel(1, flags=("master", "failover_in_progress",)), sentinel(2), sentinel(3)]), "in progress"),
        (view([sentinel(1), sentinel(2, flags=("s_down", "master",)), sentinel(3)]), "sentinel@red2 holds the master"),
        (view([sentinel(i, master="10.9.9.9:1") for i in (1, 2, 3)]), "10.9.9.9:1"),
        (view(members=[member(1, role="replica"), member(2), member(3)]), "is named as the master but is none"),
        (view(members=[member(1), member(2, link_up=False), member(3, link_up=False)]), "no replica"),
        (view(members=[member(1), member(2, priority=0), member(3, problem="down", follows="")]), "no replica"),
    ],
)  # fmt: skip
def test_a_service_that_could_not_survive_is_refused(seen: ServiceView, words: str) -> None:
    assert words in "; ".join(refusals(target(), seen))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"monitor": None}, "no Sentinel watches orders"),
        ({"sentinels": ()}, "no Sentinel watches orders"),
        ({"external_master": Endpoint("10.9.9.9", 6379)}, "outside this deployment"),
    ],
)
def test_a_service_without_its_own_failover_is_refused(changes: dict[str, Any], words: str) -> None:
    assert words in "; ".join(refusals(target(**changes), view()))


def test_after_the_failover_everyone_must_be_of_one_mind() -> None:
    seen = view([sentinel(1, master=REPLICA), sentinel(2), sentinel(3, problem="down")])

    found = disagreements(target(), seen, "orders@red2")

    assert [name for name in ("sentinel@red2 names orders@red1", "sentinel@red3 does not say") if name in str(found)]
    assert len(found) == 4
    assert disagreements(target(), view(), "orders@red1") == []


def test_a_failover_has_ended_when_its_leader_says_so_too() -> None:
    moved = [sentinel(i, master=REPLICA) for i in (1, 2)]

    assert failover_ended(target(), view([*moved, sentinel(3, master=REPLICA)]), "orders@red2")
    assert failover_ended(target(), view([*moved, sentinel(3, problem="down", master="")]), "orders@red2")
    assert not failover_ended(target(), view([*moved, sentinel(3)]), "orders@red2")
    leading = sentinel(
        3,
        master=REPLICA,
        flags=(
            "master",
            "failover_in_progress",
        ),
    )
    assert not failover_ended(target(), view([*moved, leading]), "orders@red2")


def tally(**changes: Any) -> Tally:
    """Return the tally of a good drill."""
    whole: dict[str, Any] = {
        "acknowledged": 900, "acknowledged_lost": 0, "refused": 30, "write_gap_ms": 3000, "problem": "", **changes,
    }  # fmt: skip
    return Tally(**whole)


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (None, "no tally"),
        (tally(acknowledged_lost=3), "3 of 900 acknowledged writes were lost"),
        (tally(write_gap_ms=3001), "3001 ms, more than 3000 ms"),
        (tally(acknowledged_lost=None, problem="could not be read back"), "could not be read back"),
    ],
)
def test_bad_numbers_are_problems(counted: Tally | None, words: str) -> None:
    assert words in "; ".join(judge(target(), counted))
    assert judge(target(), tally()) == []


def test_bits_count_what_is_missing_as_redis_lays_them_out() -> None:
    bits = Bits()
    for number in (0, 7, 8, 20):
        bits.add(number)

    assert bits.not_in(b"\x81\x80\x08") == 0
    assert bits.not_in(b"\x81\x80\x08\xff") == 0
    assert bits.not_in(b"\x80\x80") == 2
    assert bits.not_in(b"") == 4


def test_a_silent_drill_ticks_with_its_state() -> None:
    ticked = threading.Event()
    events: list[TimelineEvent] = []

    def say(event: TimelineEvent) -> None:
        events.append(event)
        ticked.set()

    with Timeline(say, lambda: "still refused, 3.2 s", silence=0.01) as timeline:
        assert ticked.wait(10)

    assert (events[0].kind, events[0].text) == ("tick", "still refused, 3.2 s")
    assert list(timeline.events) == events


def test_events_heard_of_late_are_in_their_place() -> None:
    timeline = Timeline(lambda _: None, str)
    timeline.note("second", at_ms=20)
    timeline.note("first", at_ms=10)

    assert [event.text for event in timeline.events] == ["first", "second"]


def test_a_long_failover_timeout_does_not_prolong_the_outage() -> None:
    assert waits(target(failover_timeout_ms=180000)).failover == waits(target(failover_timeout_ms=60000)).failover
    assert waits(target(down_after_ms=30000)).failover > waits(target()).failover + 28


def process(name: str, machine: str, address: str, port: int, kind: Any) -> Process:
    """Return a process without settings."""
    paths = Paths("", "", "", "")
    return Process(name, kind, machine, "orders", Endpoint(address, port), (), paths, password=Secret(f"{kind}-word"))


def test_a_target_carries_what_a_client_needs() -> None:
    service = Service(
        "orders",
        (process("orders-6379", "red1", "10.0.0.1", 6379, "server"),),
        Secret("server-word"),
        Watch("orders", "orders-main", 2, 5000, 60000, 1),
    )
    watcher = process("sentinel-26379", "red1", "10.0.0.1", 26379, "sentinel")
    fleet = Fleet("shop", "redis", "shop.redis.yml", {}, (service,), (watcher,))

    assert make(fleet, service) == ServiceAccess(
        service="orders", monitor="orders-main", quorum=2, down_after_ms=5000,
        failover_timeout_ms=60000, password=Secret("server-word"), sentinel_password=Secret("sentinel-word"),
        members=(Instance("orders-6379@red1", "red1", Endpoint("10.0.0.1", 6379)),),
        sentinels=(Instance("sentinel-26379@red1", "red1", Endpoint("10.0.0.1", 26379)),),
        external_master=None, open=False,
    )  # fmt: skip


def test_a_target_of_an_unwatched_follower_has_no_sentinels() -> None:
    service = Service("copy", (), None, None, Endpoint("10.9.9.9", 6379))
    watcher = process("sentinel-26379", "red1", "10.0.0.1", 26379, "sentinel")

    made = make(Fleet("shop", "redis", "x", {}, (service,), (watcher,)), service)

    assert (made.monitor, made.sentinels, made.sentinel_password, made.open) == (None, (), None, True)
    assert made.external_master == Endpoint("10.9.9.9", 6379)
