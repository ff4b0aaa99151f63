"""The failover drill on real servers and Sentinels, with real kills."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from redis_fleet.agent.codec import Message, Request
from redis_fleet.agent.load_client import writer
from redis_fleet.agent.messages.client import Look, Tally
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.agent.verbs import perform
from redis_fleet.operations import failover_drill
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.operation import WARM_UP
from redis_fleet.operations.ports import OperationRefusedError, TimelineEvent
from redis_fleet.operations.remote_client import ShippedClient
from tests.harness.live.processes import PASSWORD, SENTINEL_PASSWORD, Group, eventually, running_group

A = TypeVar("A", bound=Message)
MASTER = "orders@red1"


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        yield running


class PlainHands:
    """Kills by signal; nothing restarts these processes, so they stay down."""

    def __init__(self, group: Group) -> None:
        """Begin with clean hands."""
        self.group = group
        self.done: list[tuple[str, str]] = []

    def take_away(self, process_id: str, how: str) -> str:  # noqa: ARG002 (one way is enough)
        """Kill a process."""
        self.done.append(("kill", process_id))
        self.group.kill(process_id)
        return "nothing restarts it"

    def release(self, process_id: str) -> None:
        """Start it again."""
        self.done.append(("release", process_id))
        self.group.start(process_id)


class InterruptedClient(LocalClient):
    """Somebody presses Ctrl-C while the master is down."""

    def __init__(self, hands: PlainHands) -> None:
        """Interrupt the first look after these hands have killed."""
        super().__init__(hands.group.target)
        self.hands = hands
        self.stopped = False

    def look(self) -> Look:
        """Look, or be interrupted."""
        if self.hands.done == [("kill", MASTER)]:
            raise KeyboardInterrupt
        return super().look()

    def stop(self) -> Tally | None:
        """Stop for real and remember it."""
        self.stopped = True
        return super().stop()


def said(events: list[TimelineEvent]) -> str:
    """Return all texts."""
    return "\n".join(event.text for event in events)


def drill_keys(group: Group) -> list[object]:
    """Return the number of keys of each server: a drill leaves none."""
    return [group.call(node.id, "DBSIZE") for node in group.target.members]


def test_a_healthy_service_survives_the_loss_of_its_master(group: Group) -> None:
    hands, events = PlainHands(group), list[TimelineEvent]()

    report = failover_drill.run(group.target, hands, LocalClient(group.target), events.append)

    assert report.problems == ()
    assert report.ok
    assert report.old_master == MASTER
    assert report.new_master in ("orders@red2", "orders@red3")
    assert report.acknowledged_lost == 0
    assert (report.acknowledged or 0) > WARM_UP
    assert (report.refused or 0) > 0
    assert report.rejoined_ms is not None
    assert report.kept_down == "nothing restarts it"
    assert hands.done == [("kill", MASTER), ("release", MASTER)]
    eventually(lambda: drill_keys(group) == [0, 0, 0], "the drill's key is gone everywhere")
    assert sorted(events, key=lambda event: event.at_ms) == list(report.timeline)
    assert f"names {report.new_master}" in said(events)
    assert PASSWORD not in str(report.to_dict())
    assert SENTINEL_PASSWORD not in str(report.to_dict())


def test_without_a_majority_of_sentinels_nothing_is_touched(group: Group) -> None:
    silent = ["sentinel@red1", "sentinel@red3"]
    for sentinel in silent:
        group.kill(sentinel)
    hands, events = PlainHands(group), list[TimelineEvent]()

    with pytest.raises(OperationRefusedError) as refused:
        failover_drill.run(group.target, hands, LocalClient(group.target), events.append)

    assert [name for name in silent if name in str(refused.value)] == silent
    assert "sentinel@red2" not in str(refused.value)
    assert hands.done == []
    assert events == []
    assert drill_keys(group) == [0, 0, 0]


def test_an_interrupt_releases_the_old_master_and_ends_the_writer(group: Group) -> None:
    hands = PlainHands(group)
    client = InterruptedClient(hands)

    with pytest.raises(KeyboardInterrupt):
        failover_drill.run(group.target, hands, client, lambda _: None)

    assert hands.done == [("kill", MASTER), ("release", MASTER)]
    assert client.stopped


def test_hands_that_fail_half_way_are_undone(group: Group) -> None:
    class LostHands(PlainHands):
        def take_away(self, process_id: str, how: str) -> str:
            super().take_away(process_id, how)
            raise ConnectionError("the machine went away after the kill")

    hands = LostHands(group)

    with pytest.raises(ConnectionError, match="went away"):
        failover_drill.run(group.target, hands, LocalClient(group.target), lambda _: None)

    assert hands.done == [("kill", MASTER), ("release", MASTER)]


def test_lost_writes_are_counted(group: Group) -> None:
    """The new master loses the drill's key behind the writer's back."""

    class Thief(LocalClient):
        stolen = False

        def look(self) -> Look:
            seen = super().look()
            for key in group.call("orders@red2", "KEYS", "redis-fleet:drill:*") if not self.stolen else []:
                group.call(MASTER, "SETRANGE", key, 0, "\0" * 8)
                self.stolen = True
            return seen

    client = Thief(group.target)

    report = failover_drill.run(group.target, PlainHands(group), client, lambda _: None)

    assert client.stolen
    assert 0 < (report.acknowledged_lost or 0) <= 64
    assert not report.ok
    assert "acknowledged writes were lost" in report.problems[0]


def test_a_second_failover_is_a_problem(group: Group) -> None:
    """Somebody orders another failover while the old master comes back."""

    class Meddler(PlainHands):
        def release(self, process_id: str) -> None:
            super().release(process_id)
            eventually(lambda: self._order() == "OK", "a Sentinel takes the order")

        def _order(self) -> str:
            try:
                return str(group.call("sentinel@red1", "SENTINEL", "FAILOVER", "orders"))
            except ReplyError as error:
                return str(error)

    report = failover_drill.run(group.target, Meddler(group), LocalClient(group.target), lambda _: None)

    assert not report.ok
    assert "failed over a second time" in report.problems[0]


def test_a_detached_writer_outlives_its_starter_and_keeps_its_files_to_itself(group: Group, tmp_path: Path) -> None:
    folder = tmp_path / "writer"
    folder.mkdir(mode=0o700)

    pid = writer.start_detached(group.target, str(folder), seconds=30)

    assert os.getsid(pid) != os.getsid(0)
    eventually(lambda: "tick" in (folder / "events").read_text() if (folder / "events").exists() else False, "a tick")
    assert (folder / "events").stat().st_mode & 0o777 == 0o600
    first = writer.look(group.target, str(folder), 0)
    assert [event.event for event in first.events][:2] == ["started", "master"]
    tally = writer.stop(str(folder))
    assert tally is not None
    assert tally.acknowledged > 0
    assert tally.acknowledged_lost == 0
    assert tally.problem == ""
    assert writer.look(group.target, str(folder), first.offset).events[-1].event == "tally"
    assert PASSWORD not in (folder / "events").read_text()
    assert drill_keys(group)[0] == 0


def test_the_writer_ends_by_itself(group: Group, tmp_path: Path) -> None:
    tally = writer.run(group.target, str(tmp_path / "events"), str(tmp_path / "stop"), seconds=0.3)

    assert tally.acknowledged > 0
    assert drill_keys(group)[0] == 0


def test_the_writer_finds_a_master_without_sentinels(group: Group, tmp_path: Path) -> None:
    members = list(reversed(group.target.members))
    target = replace(group.target, monitor=None, sentinels=(), members=tuple(members))

    tally = writer.run(target, str(tmp_path / "events"), str(tmp_path / "stop"), seconds=0.3)

    assert tally.acknowledged > 0
    assert '"master": "orders@red1"' in (tmp_path / "events").read_text()


def test_a_writer_on_a_machine_is_started_looked_at_and_ended_by_requests(group: Group) -> None:
    told: list[str] = []
    answers: list[dict[str, Any]] = []

    def machine(request: Request[A], /) -> A:
        secrets: list[str] = []
        body = json.dumps(request.to_json(secrets))
        result = perform(request.verb, body, secrets, dry=False)
        told.append(body + json.dumps(result))
        answers.append(result["answer"])
        return request.answer().from_json(result["answer"])

    client = ShippedClient(group.target, machine)
    client.start()
    folder = Path(answers[0]["folder"])
    seen: list[str] = []

    def ticked() -> bool:
        seen.extend(each.event for each in client.look().events)
        return "tick" in seen

    eventually(ticked, "a tick")
    tally = client.stop()

    assert seen[:2] == ["started", "master"]
    assert tally is not None
    assert (tally.acknowledged > 0, tally.acknowledged_lost, tally.problem) == (True, 0, "")
    assert client.stop() == tally
    assert not folder.exists()
    assert not [text for text in told if PASSWORD in text or SENTINEL_PASSWORD in text]
