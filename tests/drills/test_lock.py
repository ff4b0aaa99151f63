"""The drill about distributed locks."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.drills import lock
from redis_fleet.drills.application_access import entrance_of
from redis_fleet.drills.contention import CriticalSection, contend, overlapping
from redis_fleet.drills.proxy import Wire
from redis_fleet.drills.transcript import Notebook
from tests.drills.breaking import per_engine
from tests.drills.commanding import drilled
from tests.drills.deployments import of_group, performed_on, small
from tests.harness.engines import Binary
from tests.harness.live.processes import SERVER, Group, running_group, server_binary

CARELESS = "tests.drills.careless:Careless"


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path_factory.mktemp("group")) as running:
        yield running


def test_stays_overlap_when_one_begins_before_another_has_ended() -> None:
    one_after_the_other = (CriticalSection(1, 0.0, 1.0), CriticalSection(2, 1.0, 2.0), CriticalSection(1, 3.0, 4.0))
    assert overlapping(one_after_the_other) == []
    within = (
        CriticalSection(1, 0.0, 5.0),
        CriticalSection(2, 1.0, 2.0),
        CriticalSection(3, 4.0, 6.0),
        CriticalSection(4, 6.0, 7.0),
    )
    assert overlapping(within) == [within[1], within[2]]


def test_a_silent_wire_carries_nothing_and_tells_nobody() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Wire(server.getsockname()[1]) as wire,
        socket.create_connection(("127.0.0.1", wire.port), timeout=10) as near,
        server.accept()[0] as far,
    ):
        far.settimeout(10)
        near.sendall(b"heard")
        assert far.recv(100) == b"heard"
        wire.silence()
        near.sendall(b"lost")
        far.settimeout(0.2)
        with pytest.raises(TimeoutError):
            far.recv(100)


def test_it_passes_twice_and_leaves_nothing(group: Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    deployment = of_group(group, disturb=True)
    for server in (server_binary(), ""):
        old = deployment.master().name
        report = performed_on("lock", deployment, server)
        assert report.ok, report.problems
        assert deployment.master().name != old
        assert list(tmp_path.iterdir()) == []
        left_out = [step.doing for step in report.steps if "left out" in step.seen]
        assert left_out == ([] if server else ["what needs servers of its own"])
    stays = [step.seen for step in report.steps if " stays, " in step.seen]
    assert stays[0] == "100 stays, 0 overlap, the number is 100"
    assert "100 stays, 0 overlap" not in stays[1]


def test_without_permission_the_master_stays(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_CROWD", 5)
    deployment = of_group(group, disturb=False)
    old = deployment.master().name
    report = performed_on("lock", deployment)
    assert report.ok, report.problems
    assert "left out: it would disturb" in report.steps[-1].seen
    assert deployment.master().name == old


@per_engine
def test_it_passes_on_every_version(binary: Binary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVER, str(binary.server))
    with running_group(tmp_path) as running:
        report = performed_on("lock", of_group(running, disturb=True), str(binary.server))
    assert report.ok, report.problems


def test_it_says_when_a_lock_is_taken_without_nx(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "TAKE", ("EX", lock.SECONDS))
    monkeypatch.setattr(lock, "LOCK", CARELESS)
    code, said = drilled(monkeypatch, of_group(group, disturb=False), "lock")
    assert code == 1
    assert said["ok"] is False
    problems = said["drills"][0]["problems"]
    assert any(each.startswith("SET lock B EX 3: OK (expected: (nil))") for each in problems), problems
    (crowd,) = (each for each in problems if each.startswith("50 processes"))
    assert " 0 overlap" not in crowd.partition(" (expected")[0]


def test_a_lock_that_does_not_lock_is_seen_in_the_log(group: Group) -> None:
    entrance = entrance_of(group.target)
    good = contend(entrance, "crowd", 10, 2, lock.LOCK)
    assert (good.problems, len(good.sections), good.counted, good.overlaps) == ((), 20, 20, 0)
    bad = contend(entrance, "crowd", 10, 2, CARELESS)
    assert bad.overlaps > 0
    group.call(of_group(group, disturb=False).master().name, "DEL", "crowd")


def test_it_says_when_a_lock_is_released_without_asking_whose_it_is(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "RELEASE", "return redis.call('DEL', KEYS[1])")
    book = Notebook(lambda _: None)
    lock._by_hand(of_group(group, disturb=False), book, "hand")
    assert [each.partition(":")[0].split()[0] for each in book.problems] == ["EVAL", "GET", "EVAL"], book.problems
    assert "(integer) 1 (expected: (integer) 0)" in book.problems[0]


def test_it_says_when_a_worker_fails(group: Group) -> None:
    outcome = contend(entrance_of(group.target), "crowd", 2, 1, "redis.lock:Nothing", 20.0)
    assert any("has no attribute 'Nothing'" in each for each in outcome.problems), outcome.problems


def test_it_is_left_out_without_redis_py_or_sentinels(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    with small(server_binary()) as (deployment, _):
        assert "no Sentinel watches orders" in performed_on("lock", deployment).skipped
    monkeypatch.setitem(sys.modules, "redis.sentinel", None)
    report = performed_on("lock", of_group(group, disturb=False))
    assert "pip install 'redis>=5,<9'" in report.skipped
    assert report.steps == ()
