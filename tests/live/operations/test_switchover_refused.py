"""Switchovers that are refused, or undone when something happens before anybody was promoted."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from redis_fleet.agent.messages.client import Look
from redis_fleet.agent.protocol.resp import pairs
from redis_fleet.agent.replication import handover, sentinel_failover
from redis_fleet.agent.replication.fitness import LAG
from redis_fleet.agent.replication.view import view
from redis_fleet.operations import switchover
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.ports import OperationRefusedError
from redis_fleet.operations.switchover_report import FAILOVER, SwitchoverReport
from tests.harness.live.processes import FAILOVER_TIMEOUT_MS, MONITOR, PASSWORD, Group, eventually, running_group
from tests.harness.live.switching import RED1, RED2, RED3, SENTINELS, USUAL, Hands, filed, healthy, live, switch


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        yield running


def refused(group: Group, client: LocalClient | None = None, to: str = "red2") -> str:
    """Return why a switchover is refused; nothing may have been touched."""
    hands = Hands(group.target)
    with pytest.raises(OperationRefusedError) as refusal:
        switchover.run(group.target, hands, client or LocalClient(group.target), lambda _: None, to)
    assert hands.done == []
    return str(refusal.value)


def test_a_replica_that_does_not_answer_is_refused(group: Group) -> None:
    group.processes[RED2].send_signal(signal.SIGSTOP)
    try:
        assert "orders@red2 does not answer: no answer in time" in refused(group)
    finally:
        group.processes[RED2].send_signal(signal.SIGCONT)
    group.kill(RED2)
    assert "orders@red2 does not answer: nothing listens there" in refused(group)


def test_a_replica_that_loads_its_data_is_refused(group: Group) -> None:
    with (
        redis.Redis("127.0.0.1", group.node(RED1).endpoint.port, password=PASSWORD) as master,
        master.pipeline() as pipe,
    ):
        for number in range(20_000):
            pipe.set(f"key:{number}", "x" * 500)
        pipe.execute()
    eventually(lambda: group.call(RED2, "DBSIZE") == 20_000, "red2 has all keys")
    group.call(RED2, "CONFIG", "SET", "rdbcompression", "no")
    group.call(RED2, "SAVE")
    group.kill(RED2)
    with (group.folder / RED2 / "conf").open("a") as file:
        # Microseconds for each key: it loads for much longer than the test runs, and answers every 64 kB.
        file.write("key-load-delay 2000\nloading-process-events-interval-bytes 65536\n")
    group.launch(RED2)
    eventually(lambda: _loads(group), "it answers while it loads")

    assert "orders@red2 is still loading its data; wait" in refused(group)


def _loads(group: Group) -> bool:
    (seen,) = [each for each in view(group.target).members if each.id == RED2]
    return seen.loading and not seen.problem


def test_a_replica_that_lags_is_refused(group: Group) -> None:
    """It stands still while the master takes much more than it may lack, and answers again as it begins to read."""

    class Waker(LocalClient):
        def look(self) -> Look:
            group.processes[RED2].send_signal(signal.SIGCONT)
            return super().look()

    # On a busy machine the master may take its time for all of that.
    for name in SENTINELS:
        group.call(name, "SENTINEL", "SET", MONITOR, "down-after-milliseconds", 60_000)
    group.processes[RED2].send_signal(signal.SIGSTOP)
    with (
        redis.Redis("127.0.0.1", group.node(RED1).endpoint.port, password=PASSWORD) as master,
        master.pipeline() as pipe,
    ):
        for number in range(12 * LAG // 1_000_000):
            pipe.set(f"key:{number % 10}", "x" * 1_000_000)
        pipe.execute()

    assert f"behind orders@red1, more than {LAG:,}; wait until it has caught up" in refused(group, Waker(group.target))


def before_the_order(monkeypatch: pytest.MonkeyPatch, meddle: Callable[[], None]) -> None:
    """Let something happen when the fence is up and every replica has everything, just before Sentinel is told."""
    promote = sentinel_failover.SentinelOrder.promote

    def meddled(order: Any, replicas: list[str]) -> str:
        meddle()
        return promote(order, replicas)

    monkeypatch.setattr(sentinel_failover.SentinelOrder, "promote", meddled)


def undone(group: Group, report: SwitchoverReport, timeout: str = str(FAILOVER_TIMEOUT_MS)) -> None:
    """Assert that the old master and the Sentinels' failover-timeout are as before, and that no write was lost."""
    assert not report.ok
    assert (report.new_master, report.undone) == ("", True)
    assert report.acknowledged_lost == 0
    assert live(group, RED1) == filed(group, RED1) == {RED1: USUAL[RED1]}
    assert group.call(RED1, "SET", "taken", "yes") == "OK"
    timeouts = {pairs(group.call(name, "SENTINEL", "MASTER", MONITOR))["failover-timeout"] for name in SENTINELS}
    assert timeouts == {timeout}


def test_it_is_undone_when_the_replica_stands_still_after_the_fence(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Much longer than anybody wants to be without a master that takes writes.
    for name in SENTINELS:
        group.call(name, "SENTINEL", "SET", MONITOR, "failover-timeout", 60_000)
    before_the_order(monkeypatch, lambda: group.processes[RED2].send_signal(signal.SIGSTOP))
    try:
        report = switch(group, "red2", by=FAILOVER)
        assert "no replica was promoted within 5 s" in report.problems[0]
        undone(group, report, "60000")
    finally:
        group.processes[RED2].send_signal(signal.SIGCONT)
    # It finds Sentinel's order in its socket, obeys, and is made a replica again.
    eventually(lambda: healthy(group, RED1), "all agree on the old master", 60)
    assert group.call(RED2, "GET", "taken") == "yes"


def test_it_is_undone_when_the_sentinel_refuses(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill_both() -> None:
        for name in (RED2, RED3):
            group.kill(name)
        eventually(lambda: _disconnected(group), "the Sentinels have noticed")

    before_the_order(monkeypatch, kill_both)

    report = switch(group, "red2", by=FAILOVER)

    assert "refused the failover: NOGOODSLAVE" in report.problems[0]
    undone(group, report)
    for name in (RED2, RED3):
        group.start(name)
    eventually(lambda: healthy(group, RED1), "all agree on the old master", 60)
    assert live(group) == USUAL


def _disconnected(group: Group) -> bool:
    replicas = [peer for one in view(group.target).sentinels for peer in one.replicas]
    return all({"disconnected", "s_down"} & set(peer.flags) for peer in replicas)


def test_it_is_undone_when_a_replica_does_not_catch_up(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "CATCH_UP", 0.5)
    fence = handover._HandOver._fence

    def writes_meanwhile(one: Any) -> None:
        group.processes[RED2].send_signal(signal.SIGSTOP)
        group.call(RED1, "SET", "key", "value")
        fence(one)

    monkeypatch.setattr(handover._HandOver, "_fence", writes_meanwhile)
    try:
        report = switch(group, "red2", by=FAILOVER)
    finally:
        group.processes[RED2].send_signal(signal.SIGCONT)

    assert "orders@red2 did not catch up" in report.problems[0] or "no answer in time" in report.problems[0]
    # It stood still to the end: what could not be put back is told.
    assert "orders@red2 did not take its replica-priority 100 back" in report.problems[1]
    undone(group, report)
    eventually(lambda: healthy(group, RED1), "all agree on the old master", 60)
    assert filed(group) == USUAL
