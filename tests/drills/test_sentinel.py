"""The drill about Sentinels: on servers of its own, on a deployment, and what it says when a majority is gone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.drills import sentinel_lab
from redis_fleet.drills.lab import Lab
from redis_fleet.drills.transcript import Notebook
from tests.drills.breaking import broken, differs, per_engine
from tests.drills.deployments import of_group, performed_on, small
from tests.harness.engines import Binary
from tests.harness.live.processes import MONITOR, SERVER, Group, eventually, running_group, server_binary


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        yield running


def shown(server: str | Path, show: Callable[[Lab, Notebook], None] = sentinel_lab.show) -> Notebook:
    """Show what needs servers of its own, on one binary."""
    book = Notebook(lambda _: None)
    with Lab(str(server)) as lab:
        show(lab, book)
    return book


def test_it_passes_on_servers_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with small(server_binary()) as (deployment, _):
        before = sorted(tmp_path.iterdir())
        report = performed_on("sentinel", deployment, server_binary())
        assert report.ok, report.problems
        assert sorted(tmp_path.iterdir()) == before
    diffs = [step.seen for step in report.steps if step.doing == "diff of sentinel.conf"]
    assert len(diffs) == 2
    assert all("-sentinel monitor tedu" in each and "+sentinel monitor tedu" in each for each in diffs)
    assert all("+replicaof 127.0.0.1" in step.seen for step in report.steps if step.doing == "diff of redis.conf")
    assert "no Sentinel watches orders" in report.steps[-1].seen


def test_a_failover_of_the_deployment_is_shown_and_drawn_twice(group: Group) -> None:
    deployment = of_group(group, disturb=True)
    for _ in range(2):
        old = deployment.master().name
        report = performed_on("sentinel", deployment)
        assert report.ok, report.problems
        assert deployment.master().name != old
        (chart,) = report.charts
        done, refused = chart.series
        assert max(value for _, value in done.points) > 50
        # While nobody is the master nothing is acknowledged, and clients are refused.
        quiet = {at for at, value in done.points if value == 0}
        assert quiet & {at for at, value in refused.points if value > 0}
        assert any("finds the master down" in mark.text for mark in chart.marks)


@per_engine
def test_a_deployment_of_every_version_is_shown(
    binary: Binary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SERVER, str(binary.server))
    with running_group(tmp_path) as group:
        deployment = of_group(group, disturb=True)
        for name in ("types", "leaderboard", "replication", "sentinel"):
            report = performed_on(name, deployment)
            assert report.ok, (name, report.problems)


def test_without_permission_it_only_asks(group: Group) -> None:
    deployment = of_group(group, disturb=False)
    old = deployment.master().name
    report = performed_on("sentinel", deployment)
    assert report.ok, report.problems
    assert "left out: it would disturb" in report.steps[-1].seen
    assert sum(step.doing == f"SENTINEL CKQUORUM {MONITOR}" for step in report.steps) == 3
    assert deployment.master().name == old


def test_it_says_when_the_quorum_cannot_be_reached(group: Group) -> None:
    group.kill("sentinel@red2")
    group.kill("sentinel@red3")
    eventually(lambda: not check_quorum(group), "the one that is left finds the others down")
    report = performed_on("sentinel", of_group(group, disturb=False))
    differs(report, "nothing listens there", f"SENTINEL CKQUORUM {MONITOR}: (error) NOQUORUM 1 usable Sentinels")
    assert {step.where for step in report.steps if not step.ok} == {f"sentinel@red{number}" for number in (1, 2, 3)}


def test_it_says_when_a_sentinel_watches_with_another_quorum(group: Group) -> None:
    group.call("sentinel@red2", "SENTINEL", "SET", MONITOR, "quorum", 3)
    report = performed_on("sentinel", of_group(group, disturb=False))
    differs(report, "quorum 3 (expected: orders at")
    assert {step.where for step in report.steps if not step.ok} == {"sentinel@red2"}


def check_quorum(group: Group) -> bool:
    """Whether the first Sentinel could have a failover authorised."""
    try:
        return bool(group.call("sentinel@red1", "SENTINEL", "CKQUORUM", MONITOR))
    except ReplyError:
        return False


@per_engine
def test_it_passes_on_every_version(binary: Binary) -> None:
    book = shown(binary.server)
    assert book.problems == ()


def test_it_says_when_a_replica_takes_writes_after_the_failover(tmp_path: Path) -> None:
    writable = broken(tmp_path, before='case "$*" in *sentinel*) ;; *) set -- "$@" --replica-read-only no ;; esac')
    assert any(problem.startswith("SET name other: OK") for problem in shown(writable, sentinel_lab.one).problems)


def test_it_says_when_nobody_is_promoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentinel_lab, "_PATIENCE", 8.0)
    nobody = broken(tmp_path, before='case "$*" in *sentinel*) ;; *) set -- "$@" --replica-priority 0 ;; esac')
    with small(server_binary()) as (deployment, _):
        differs(performed_on("sentinel", deployment, str(nobody)), "not within 8 s: the Sentinels promoted a replica")
