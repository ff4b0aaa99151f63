"""Switchovers on real servers and Sentinels: nothing is lost, nothing is left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.agent.replication import handover, promotion, promotion_priority
from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.agent.replication.connections import PRIORITY
from redis_fleet.agent.replication.fence import FENCE, MAX_LAG, MIN_REPLICAS
from redis_fleet.agent.replication.view import view
from redis_fleet.operations import switchover
from redis_fleet.operations.interruptible import InterruptibleClient
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.operation import WARM_UP
from redis_fleet.operations.switchover_report import ELECTION, FAILOVER
from tests.harness.live.processes import PASSWORD, SENTINEL_PASSWORD, Group, eventually, running_group
from tests.harness.live.switching import (
    RED1,
    RED2,
    RED3,
    SENTINELS,
    SERVERS,
    USUAL,
    Hands,
    Load,
    agree_on,
    described,
    filed,
    follows,
    healthy,
    live,
    switch,
)

SERIES = int(os.environ.get("REDIS_FLEET_SWITCHOVERS", "3"))
"""How many switchovers are done one after the other under load."""


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        yield running


def test_a_switchover_loses_nothing_and_leaves_nothing_behind(group: Group) -> None:
    group.call(RED1, "CONFIG", "SET", MIN_REPLICAS, 1)
    group.call(RED1, "CONFIG", "SET", MAX_LAG, 0)
    group.call(RED3, "CONFIG", "SET", PRIORITY, 1)
    for name in SERVERS:
        group.call(name, "CONFIG", "REWRITE")
    before = live(group)

    hands = Hands(group.target, before)
    report = switchover.run(group.target, hands, LocalClient(group.target), lambda _: None, "red2")

    assert report.problems == ()
    assert report.ok
    assert (report.old_master, report.new_master, report.undone) == (RED1, RED2, False)
    assert report.acknowledged_lost == 0
    assert (report.acknowledged or 0) > WARM_UP
    assert (report.refused or 0) > 0
    assert (report.write_gap_ms or 0) > 0
    agree_on(group, RED2)
    assert live(group) == before
    assert filed(group) == before
    assert PASSWORD not in str(report.to_dict())
    assert SENTINEL_PASSWORD not in str(report.to_dict())
    said = [event.text for event in report.timeline]
    assert any(f"{MIN_REPLICAS} {FENCE}, before 1" in text for text in said)


def test_a_series_under_load_loses_nothing(group: Group, record_property: Callable[[str, object], None]) -> None:
    gaps: list[tuple[int | None, int | None]] = []
    with Load(group, 1) as first, Load(group, 2) as second, Load(group, 3) as third:
        loads = [first, second, third]
        eventually(lambda: all(load.acknowledged > 100 for load in loads), "the load is on")
        for _ in range(SERIES):
            old = name_of(group.target, agreed_master(view(group.target)))
            eventually(lambda old=old: healthy(group, old), "all agree")  # type: ignore[misc]

            report = switch(group)

            gaps.append((report.write_gap_ms, report.acknowledged))
            assert report.problems == ()
            assert report.acknowledged_lost == 0
            assert report.new_master not in ("", old)
    record_property("gaps in ms, acknowledged", gaps)
    record_property("acknowledged under load", [load.acknowledged for load in loads])
    assert [load.lost() for load in loads] == [0, 0, 0]
    assert live(group) == USUAL
    assert filed(group) == USUAL
    agree_on(group, report.new_master)


def test_the_master_as_the_wanted_one_is_left_alone(group: Group) -> None:
    hands = Hands(group.target)

    report = switchover.run(group.target, hands, LocalClient(group.target), lambda _: None, "red1")

    assert (report.ok, report.old_master, report.new_master) == (True, RED1, RED1)
    assert hands.done == []


def test_whoever_else_the_sentinels_promote_is_the_master_then(group: Group) -> None:
    group.call(RED3, "CONFIG", "SET", PRIORITY, 10)
    eventually(lambda: all(10 in one.priorities.values() for one in view(group.target).sentinels), "it is known")
    with Load(group, 1) as load:
        eventually(lambda: load.acknowledged > 100, "the load is on")

        outcome = handover.hand_over(group.target, RED1, RED2, described(USUAL))

        assert (outcome.master, outcome.undone) == (RED3, False)
        assert "promoted orders@red3, not orders@red2" in outcome.problems[0]
        eventually(lambda: healthy(group, RED3), "all agree on the new master", 60)
    assert load.lost() == 0


def test_a_fence_that_a_killed_run_left_is_not_kept(group: Group) -> None:
    for name in (RED1, RED2):
        group.call(name, "CONFIG", "SET", MIN_REPLICAS, FENCE)
        group.call(name, "CONFIG", "REWRITE")
    group.call(RED3, "CONFIG", "SET", PRIORITY, promotion_priority.PREFERRED)

    report = switch(group, "red2")

    assert report.problems == ()
    assert report.acknowledged_lost == 0
    assert live(group) == filed(group) == USUAL
    assert group.call(RED2, "SET", "taken", "yes") == "OK"


def test_nothing_is_written_where_nothing_is_measured(group: Group) -> None:
    class Eyes(LocalClient):
        started = False

        def start(self) -> None:
            self.started = True
            super().start()

    client = Eyes(group.target)

    report = switchover.run(group.target, Hands(group.target), client, lambda _: None, measure=False)

    assert not client.started
    assert report.problems == ()
    assert (report.old_master, report.acknowledged, report.write_gap_ms) == (RED1, None, None)
    assert [group.call(name, "DBSIZE") for name in SERVERS] == [0, 0, 0]
    agree_on(group, report.new_master)


def test_a_replica_that_is_preferred_already_is_not_waited_for(group: Group) -> None:
    group.call(RED3, "CONFIG", "SET", PRIORITY, 50)

    assert promotion_priority.prefer(group.target, RED3, described(USUAL)) == {}
    assert live(group)[RED3][PRIORITY] == "50"
    assert promotion_priority.prefer(group.target, RED2, described(USUAL)) == {RED2: 100}


class Interrupt(threading.Event):
    """Somebody presses Ctrl-C once these hands have done something."""

    def __init__(self, hands: Hands, after: str) -> None:
        """Keep both."""
        super().__init__()
        self._hands, self._after = hands, after

    def is_set(self) -> bool:
        """Whether it was pressed."""
        return self._after in self._hands.done


@pytest.mark.parametrize("by", [ELECTION, FAILOVER])
@pytest.mark.parametrize(("after", "master"), [("prefer", RED1), ("hand_over", RED2)])
def test_an_interrupt_leaves_nothing_half_done(group: Group, after: str, master: str, by: str) -> None:
    hands = Hands(group.target)
    client = InterruptibleClient(LocalClient(group.target), Interrupt(hands, after))

    with pytest.raises(KeyboardInterrupt):
        switchover.run(group.target, hands, client, lambda _: None, "red2", by=by)

    assert hands.done[-1] == ("restore" if by == FAILOVER else after)
    eventually(lambda: healthy(group, master), f"{master} is the master, and nothing is under way")
    agree_on(group, master)
    assert live(group) == filed(group) == USUAL
    eventually(lambda: [group.call(name, "DBSIZE") for name in SERVERS] == [0, 0, 0], "the writer left no key")


def without_sentinels(group: Group) -> ServiceAccess:
    """End the Sentinels and return the target of a service that none watches."""
    for name in SENTINELS:
        group.kill(name)
    return replace(group.target, monitor=None, sentinels=())


def test_a_switchover_by_hand_loses_nothing(group: Group) -> None:
    target = without_sentinels(group)
    before = live(group)

    report = switch(group, "red3", target)

    assert report.problems == ()
    assert (report.old_master, report.new_master) == (RED1, RED3)
    assert report.acknowledged_lost == 0
    assert {name: follows(group, name) for name in SERVERS} == {RED1: RED3, RED2: RED3, RED3: ""}
    assert live(group) == filed(group) == before


def test_a_promotion_by_hand_takes_the_newest_data(group: Group) -> None:
    target = without_sentinels(group)
    assert "answers as a master; use switchover" in promotion.promote(target, "").problems[0]
    group.processes[RED2].send_signal(signal.SIGSTOP)
    group.call(RED1, "SET", "key", "value")
    eventually(lambda: group.call(RED3, "GET", "key") == "value", "red3 has it")
    group.kill(RED1)
    group.processes[RED2].send_signal(signal.SIGCONT)
    group.call(RED2, "PING")
    # What it was sent before may be in its socket still: then both have the same, and the lower number decides.
    group.call(RED3, "CONFIG", "SET", PRIORITY, 50)
    eventually(lambda: not any(each.link_up for each in view(target).members), "both notice")

    outcome = promotion.promote(target, "")

    assert (outcome.master, outcome.problems) == (RED3, ())
    assert (follows(group, RED2), follows(group, RED3)) == (RED3, "")
    eventually(lambda: group.call(RED2, "GET", "key") == "value", "red2 is in step")
    assert group.call(RED3, "SET", "taken", "yes") == "OK"
