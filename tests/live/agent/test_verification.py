"""The verification finds every fault and nothing else, on real servers and Sentinels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.client import Check
from redis_fleet.agent.replication.verification import verify
from redis_fleet.agent.replication.view import member_view, unreachable, view
from redis_fleet.agent.secret import Secret
from redis_fleet.loopback import free_ports
from tests.harness.live.processes import PASSWORD, SENTINEL_PASSWORD, Group, eventually, running_group

MASTER, REPLICA, OTHER_REPLICA = "orders@red1", "orders@red2", "orders@red3"
SENTINEL = "sentinel@red2"


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        yield running


def failed(checks: list[Check]) -> list[tuple[str, str]]:
    """Return what failed as (check, subject)."""
    return [(check.check, check.subject) for check in checks if not check.ok]


def flagged(group: Group, name: str) -> bool:
    """Whether every Sentinel that answers holds a process for down."""
    place = str(group.node(name).endpoint)
    return all(
        "s_down" in peer.flags
        for one in view(group.target).sentinels
        for peer in one.replicas + one.sentinels
        if peer.place == place
    )


def keys(group: Group) -> list[object]:
    """Return the number of keys of each server."""
    return [group.call(node.id, "DBSIZE") for node in group.target.members]


def test_a_healthy_service_passes_every_check_and_is_left_as_it_was(group: Group) -> None:
    checks = verify(group.target)

    assert failed(checks) == []
    assert {check.check for check in checks} == {
        "answers", "wants its password", "one master", "link to the master", "follows the master", "caught up",
        "refuses writes", "canary written", "canary confirmed", "canary read", "canary removed", "names the master",
        "knows the replicas", "knows the Sentinels", "sees all up", "quorum", "is sound",
        "may take over",
    }  # fmt: skip
    assert keys(group) == [0, 0, 0]
    assert PASSWORD not in json.dumps([check.to_json() for check in checks])
    assert SENTINEL_PASSWORD not in json.dumps([check.to_json() for check in checks])


def test_a_writable_replica_is_found_and_left_without_a_trace(group: Group) -> None:
    group.call(REPLICA, "CONFIG", "SET", "replica-read-only", "no")

    assert failed(verify(group.target)) == [("refuses writes", REPLICA)]
    assert keys(group) == [0, 0, 0]


@pytest.mark.parametrize("member", [MASTER, REPLICA])
def test_a_server_without_password_is_found(group: Group, member: str) -> None:
    group.call(member, "CONFIG", "SET", "requirepass", "")

    assert failed(verify(group.target)) == [("wants its password", member)]


def test_a_stopped_replica_is_one_failure(group: Group) -> None:
    group.kill(REPLICA)
    eventually(lambda: flagged(group, REPLICA), "every Sentinel holds it for down")

    checks = verify(group.target)

    assert failed(checks) == [("answers", REPLICA)]
    assert "connection refused" in next(check.seen for check in checks if not check.ok)
    assert unreachable(group.target) == [REPLICA]


def test_a_stopped_sentinel_is_one_failure(group: Group) -> None:
    group.kill(SENTINEL)
    eventually(lambda: flagged(group, SENTINEL), "the other Sentinels hold it for down")

    assert failed(verify(group.target)) == [("answers", SENTINEL)]


def test_a_repointed_replica_is_found(group: Group) -> None:
    # To the other replica: its link and offset are in order, only the master is wrong. Sentinel repairs it after 8 s.
    chained = group.node(OTHER_REPLICA)
    group.call(REPLICA, "REPLICAOF", chained.endpoint.address, chained.endpoint.port)
    eventually(lambda: member_view(group.target, group.node(REPLICA)).link_up, "the chained replica is linked")

    assert failed(verify(group.target)) == [("follows the master", REPLICA)]


def test_a_second_master_is_found(group: Group) -> None:
    group.call(REPLICA, "REPLICAOF", "NO", "ONE")

    assert failed(verify(group.target)) == [("one master", "orders")]


def test_a_snapshot_that_fails_is_found(group: Group) -> None:
    (_, folder) = group.call(REPLICA, "CONFIG", "GET", "dir")
    snapshot = Path(str(folder)) / "dump.rdb"
    snapshot.unlink(missing_ok=True)
    (snapshot / "in-the-way").mkdir(parents=True)
    group.call(REPLICA, "BGSAVE")
    eventually(lambda: "rdb_last_bgsave_status:err" in str(group.call(REPLICA, "INFO")), "the snapshot has failed")

    assert failed(verify(group.target)) == [("is sound", REPLICA)]


def test_a_server_that_saves_nothing_is_found_where_it_should(group: Group) -> None:
    for node in group.target.members:
        group.call(node.id, "CONFIG", "SET", "save", "")
        group.call(node.id, "CONFIG", "SET", "appendonly", "no")
    should = tuple(replace(each, saves=each.id == REPLICA) for each in group.target.members)

    assert failed(verify(replace(group.target, members=should))) == [("is sound", REPLICA)]


def test_a_full_memory_is_found(group: Group) -> None:
    group.call(MASTER, "CONFIG", "SET", "maxmemory", "1")

    assert failed(verify(group.target)) == [("is sound", MASTER), ("canary written", MASTER)]


def test_replicas_that_may_not_take_over_are_found(group: Group) -> None:
    for node in (REPLICA, OTHER_REPLICA):
        group.call(node, "CONFIG", "SET", "replica-priority", "0")

    assert failed(verify(group.target)) == [("may take over", "orders")]


def test_a_sentinel_that_watches_something_else_is_found(group: Group) -> None:
    group.call(SENTINEL, "SENTINEL", "REMOVE", "orders")

    checks = verify(group.target, patience=0)

    assert ("watches the service", SENTINEL) in failed(checks)
    assert "orders" in next(check.expected for check in checks if check.subject == SENTINEL and not check.ok)


def test_a_wrong_password_is_said_without_repeating_it(group: Group) -> None:
    target = replace(group.target, password=Secret("Wrong-Password_1"))

    checks = verify(target, patience=0)

    silent = [subject for check, subject in failed(checks) if check == "answers"]
    assert silent == [node.id for node in target.members]
    assert "Wrong-Password_1" not in json.dumps([check.to_json() for check in checks])


def test_a_server_that_knows_no_auth_does_not_make_the_password_known(group: Group) -> None:
    # Redis (not Valkey 9) repeats the arguments of an unknown command in its error reply.
    group.kill(REPLICA)
    with (group.folder / REPLICA / "conf").open("a") as file:
        file.write('rename-command AUTH ""\n')
    group.launch(REPLICA)
    eventually(lambda: unreachable(group.target) == [], "it listens again")

    checks = verify(group.target, patience=0)

    seen = next(check.seen for check in checks if check.subject == REPLICA)
    assert seen.startswith("it answered: ")
    assert PASSWORD not in json.dumps([check.to_json() for check in checks])


def test_members_of_a_master_outside_are_checked_without_canary(group: Group) -> None:
    master, *replicas = group.target.members
    target = replace(group.target, members=tuple(replicas), external_master=master.endpoint)

    checks = verify(target)

    assert failed(checks) == []
    assert [check.seen for check in checks if check.check == "canary"] == [
        "left out: the master is outside this deployment"
    ]


def test_a_replica_that_lost_its_external_master_fails(group: Group) -> None:
    address, port = "127.0.0.1", free_ports(1)[0]
    replicas = group.target.members[1:]
    external = Endpoint(address, port)
    target = replace(group.target, members=replicas, monitor=None, sentinels=(), external_master=external)

    assert failed(verify(target)) == [("follows the master", replica.id) for replica in replicas]


def test_an_open_service_is_not_asked_for_a_password(group: Group) -> None:
    for node in group.target.members:
        group.call(node.id, "CONFIG", "SET", "requirepass", "")
    target = replace(group.target, password=None, open=True)

    assert failed(verify(target)) == []
    assert len(failed(verify(replace(target, open=False)))) == len(target.members)
