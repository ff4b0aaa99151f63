"""Facts and status rows: what the answers of the machines mean."""

from __future__ import annotations

import time
from typing import Any

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.observation import Observation
from redis_fleet.observe.facts import MachineFacts, ProcessFacts, observed
from redis_fleet.observe.status import rows
from tests.unit.cases import builder
from tests.unit.cases.builder import fleet_of

MASTER, REPLICA, SENTINEL = "orders-6379@red1", "orders-6379@red2", "sentinel-26379@red1"


def row(process: str, **case: Any) -> dict[str, Any]:
    """Return the row of one process of the sample with Sentinels."""
    fleet = fleet_of("sentinel")
    return next(each for each in rows(fleet, builder.observed(fleet, case)) if each["process"] == process)


def answer(**process: Any) -> Observation:
    """Return what is answered for a machine with one process."""
    whole = {"answers": True, "lines": [], "data": [], **process}
    return Observation.from_json({"processes": {"orders-6379": whole}})


def facts(**process: Any) -> ProcessFacts:
    """Return the facts of that process."""
    return observed({"red1": answer(**process)}).machines["red1"].processes["orders-6379"]


def test_a_master() -> None:
    found = row(MASTER)

    assert (found["up"], found["role"], found["keys"], found["version"]) == (True, "master", 10, "7.0.15")
    assert found["agreeing"] == [f"sentinel-26379@red{number}" for number in (1, 2, 3)]
    assert (found["link"], found["lag"], found["problem"]) == (None, None, "")
    assert (found["service"], found["machine"], found["endpoint"]) == ("orders", "red1", "10.0.0.11:6379")


def test_a_master_that_no_sentinel_names() -> None:
    sentinels = {f"sentinel-26379@red{number}": {"names": REPLICA} for number in (1, 2, 3)}

    assert row(MASTER, processes=sentinels)["agreeing"] == []
    assert row(REPLICA, processes=sentinels)["agreeing"] == list(sentinels)


def test_a_replica() -> None:
    found = row(REPLICA)

    assert (found["role"], found["link"], found["lag"], found["agreeing"]) == ("replica", "up", None, None)


def test_lag_and_age_are_counted() -> None:
    fleet = fleet_of("sentinel")
    info = {"rdb_last_save_time": str(int(time.time()) - 100), "aof_enabled": "1", "aof_last_write_status": "ok"}
    asked = {
        "red1": look("orders-6379", ["master", 0, []], {**info, "master_repl_offset": "700"}),
        "red2": look(
            "orders-6379",
            ["slave", "10.0.0.11", 6379, "connected", 1],
            {**info, "slave_repl_offset": "650", "aof_rewrite_in_progress": "1"},
        ),
    }

    master, replica, third = rows(fleet, observed(asked))[:3]

    assert replica["lag"] == 50
    assert 100 <= master["last_save"] <= 110
    assert (master["aof"], replica["aof"]) == ("ok", "rewriting")
    assert (third["up"], third["problem"]) == (False, "not deployed")


def look(name: str, role: list[Any], info: dict[str, str]) -> Observation:
    """Return an answer of one machine with one running server."""
    return Observation({name: ProcessFacts(answers=True, lines=(), data=(), role=role, info=info)})


@pytest.mark.parametrize(
    ("info", "aof"),
    [
        ({}, "off"),
        ({"aof_enabled": "1", "aof_last_write_status": "ok"}, "ok"),
        ({"aof_enabled": "1", "aof_last_write_status": "err"}, "failing"),
    ],
)
def test_the_append_only_file(info: dict[str, str], aof: str) -> None:
    asked = {"red1": look("orders-6379", ["master", 0, []], info)}

    assert rows(fleet_of("standalone"), observed(asked))[0]["aof"] == aof


def test_what_is_not_up_says_why() -> None:
    assert row(REPLICA, processes={REPLICA: {"is": "down"}})["problem"] == "Connection refused"
    assert row(REPLICA, machines={"red2": {"error": "no route to host"}})["problem"] == "no route to host"
    assert row(REPLICA, processes={REPLICA: {"is": "down"}})["keys"] is None


def test_a_sentinel() -> None:
    assert (row(SENTINEL)["role"], row(SENTINEL)["link"]) == ("sentinel", "quorum for 1 of 1")
    assert row(SENTINEL, processes={SENTINEL: {"watches": []}})["link"] == "quorum for 0 of 0"


def test_a_machine_out_of_reach_has_no_facts() -> None:
    seen = observed({"red1": "unreachable"})

    assert seen.machines["red1"] == MachineFacts(error="unreachable")
    assert seen.of(fleet_of("sentinel").processes[0]) == ProcessFacts()
    assert seen.of(fleet_of("sentinel").processes[1]) == ProcessFacts()


def test_keys_are_those_of_all_databases() -> None:
    info = {"db0": "keys=3,expires=1,avg_ttl=0", "db7": "keys=4,expires=0", "db_misses": "9"}

    assert facts(info=info).keys == 7
    assert facts(info={}).keys == 0


def test_valkeys_own_version_counts() -> None:
    assert facts(info={"redis_version": "7.2.4", "valkey_version": "9.1.2"}).version == "9.1.2"
    assert facts(info={"redis_version": "7.0.15"}).version == "7.0.15"


@pytest.mark.parametrize(
    ("lines", "endpoint"),
    [
        ([["replicaof", "10.0.0.11", "6379"]], Endpoint("10.0.0.11", 6379)),
        ([["slaveof", "::1", "6379"]], Endpoint("::1", 6379)),
        ([["replicaof", "no", "one"]], None),
        ([["replicaof", "here", "there"]], None),
        ([["replicaof"]], None),
        ([], None),
    ],
)
def test_whom_a_file_names(lines: list[list[str]], endpoint: Endpoint | None) -> None:
    assert facts(lines=lines).follows_by_file == endpoint


@pytest.mark.parametrize(
    ("process", "ran"),
    [
        ({"answers": True}, True),
        ({"answers": False}, False),
        ({"answers": False, "pid": 7}, True),
        ({"answers": False, "data": ["dump.rdb"]}, True),
        ({"answers": False, "data": None}, False),
        ({"answers": False, "lines": [["sentinel", "current-epoch", "0"]]}, True),
        ({"answers": False, "lines": None}, False),
    ],
)
def test_whether_a_process_ever_ran(process: dict[str, Any], ran: bool) -> None:
    assert facts(**process).started_once is ran


def test_a_file_that_cannot_be_read_is_not_a_file_without_lines() -> None:
    found = facts(lines=[], file_error="line 3: unbalanced quotes")

    assert (found.deployed, found.file_error) == (True, "line 3: unbalanced quotes")
    assert not facts(lines=None).deployed
