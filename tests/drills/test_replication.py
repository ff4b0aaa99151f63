"""The drill about replication: on servers of its own, on a deployment, and what it says of broken replicas."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from redis_fleet.agent.messages.service import MemberView
from redis_fleet.drills.replication import astray, differing
from redis_fleet.loopback import free_ports
from tests.drills.breaking import broken, differs, per_engine
from tests.drills.deployments import of_group, performed_on, small
from tests.harness.engines import Binary
from tests.harness.live.processes import Group, make_target, running_group, server_binary


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        yield running


def member(name: str, **facts: Any) -> MemberView:
    """Return how a member looks that has nothing wrong."""
    usual = MemberView(name, role="replica", follows="127.0.0.1:1001", link_up=True, offset=100, priority=100)
    return replace(usual, **facts)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ""),
        ({"offset": 101}, ""),
        ({"offset": 40}, "60 bytes behind"),
        ({"link_up": False}, "its link to the master is down"),
        ({"follows": "127.0.0.1:1003"}, "follows orders@red3"),
        ({"follows": "10.0.0.9:6379"}, "follows 10.0.0.9:6379"),
        ({"role": "master"}, "a master too"),
        ({"problem": "no answer in time"}, "does not answer: no answer in time"),
    ],
)
def test_a_replica_is_judged_by_whom_it_follows_and_how_far_it_is(facts: dict[str, Any], words: str) -> None:
    target = make_target([1001, 1002, 1003, 1004, 1005, 1006])
    said = astray(target, member("orders@red2", **facts), member("orders@red1", role="master", follows=""))
    assert said.startswith(words)
    assert bool(said) == bool(words)


def test_it_passes_twice_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with small(server_binary()) as (deployment, _):
        before = sorted(tmp_path.iterdir())
        for _ in range(2):
            report = performed_on("replication", deployment, server_binary())
            assert report.ok, report.problems
            assert sorted(tmp_path.iterdir()) == before
    assert [step.seen for step in report.steps if step.doing == "INFO stats"] == [
        "sync_full 1, sync_partial_ok 1",
        "sync_full 1, sync_partial_ok 2",
        "sync_full 2, sync_partial_ok 2",
    ]
    assert "left out: it would disturb" in report.steps[-1].seen


def test_the_master_is_changed_where_that_may_be(group: Group) -> None:
    deployment = of_group(group, disturb=True)
    old = deployment.master().name
    report = performed_on("replication", deployment)
    assert report.ok, report.problems
    assert deployment.master().name != old
    assert {measure.name: measure.value for measure in report.measures}["of these lost"] == 0


@per_engine
def test_it_passes_on_every_version(binary: Binary) -> None:
    with small(str(binary.server)) as (deployment, _):
        report = performed_on("replication", deployment, str(binary.server))
    assert report.ok, report.problems


def test_it_says_when_a_replica_takes_writes() -> None:
    with small(server_binary()) as (deployment, servers):
        servers[1].call("CONFIG", "SET", "replica-read-only", "no")
        report = performed_on("replication", deployment)
    differs(report, "SET newkey 456 EX 60: OK (expected: (error) READONLY")
    assert {step.where for step in report.steps if not step.ok} == {"orders@red2"}


def test_it_says_when_a_replica_has_other_data() -> None:
    with small(server_binary()) as (deployment, servers):
        servers[0].call("RPUSH", "mylist", 1, 2)
        servers[2].call("CONFIG", "SET", "replica-read-only", "no")
        servers[2].call("SET", "only", "here")
        servers[2].call("RPUSH", "mylist", 3)
        servers[2].call("CONFIG", "SET", "replica-read-only", "yes")
        deployment.replicas()
        clients = deployment._clients
        assert differing(clients["orders@red1"], clients["orders@red3"], ["only", "mylist"]) == ["only", "mylist"]
        report = performed_on("replication", deployment)
    differs(report, "type and length of 7 keys here and on orders@red1: 2 differ")
    assert {step.where for step in report.steps if not step.ok} == {"orders@red3"}


def test_it_says_when_a_replica_lost_its_master() -> None:
    with small(server_binary()) as (deployment, servers):
        servers[1].call("REPLICAOF", "127.0.0.1", free_ports(1)[0])
        report = performed_on("replication", deployment)
    differs(report, "INFO replication: follows 127.0.0.1:", "WAIT 2 5000: (integer) 1", "GET mykey: (nil)")


def test_it_says_when_a_server_of_the_deployment_is_gone() -> None:
    with small(server_binary()) as (deployment, servers):
        servers[2].kill()
        report = performed_on("replication", deployment)
    differs(report, "INFO replication: does not answer: nothing listens there")


def test_it_says_when_servers_do_not_do_what_they_should(tmp_path: Path) -> None:
    writable = broken(tmp_path, "--replica-read-only no")
    with small(server_binary()) as (deployment, _):
        differs(performed_on("replication", deployment, str(writable)), "SET mykey 123: OK (expected: (error) READONLY")
        forgetting = broken(tmp_path, before="rm -f dump.rdb")
        differs(performed_on("replication", deployment, str(forgetting)), "INFO stats: sync_full 2, sync_partial_ok 1")
