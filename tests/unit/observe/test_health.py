"""What is wrong although every process runs: each fault alone is named by its code, and a sound deployment by none."""

from __future__ import annotations

from typing import Any

import pytest

from redis_fleet.agent.replication.health import SILENCE, troubles
from redis_fleet.observe.health import deployment_troubles
from tests.unit.cases.builder import fleet_of, observed

NOW = 1_800_000_000.0
MASTER, REPLICA, OTHER, SENTINEL = "orders-6379@red1", "orders-6379@red2", "orders-6379@red3", "sentinel-26379@red2"
_PERSISTENCE = {
    "rdb_last_bgsave_status": "ok", "aof_last_write_status": "ok", "aof_last_bgrewrite_status": "ok",
    "aof_enabled": "1", "rdb_last_save_time": str(int(NOW) - 7000), "rdb_changes_since_last_save": "5",
    "rdb_bgsave_in_progress": "0",
}  # fmt: skip
SOUND = {
    **_PERSISTENCE, "loading": "0", "used_memory": "1000", "maxmemory": "2000", "maxmemory_policy": "noeviction",
    "connected_clients": "10", "uptime_in_seconds": "9000",
}  # fmt: skip
_FOLLOWS = {"role": "slave", "master_link_status": "up"}
OF_A_SERVER: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "a snapshot failed": ({"rdb_last_bgsave_status": "err"}, {}, "save-fails"),
    "the append-only file cannot be written": ({"aof_last_write_status": "err"}, {}, "aof-fails"),
    "a rewrite failed": ({"aof_last_bgrewrite_status": "err"}, {}, "aof-rewrite-fails"),
    "no snapshot when one is due": (
        {"rdb_changes_since_last_save": "20"}, {"save": "3600 1000 900 20"}, "save-overdue"),
    "nothing is saved": ({"aof_enabled": "0"}, {"save": ""}, "nothing-saved"),
    "memory is full": ({"used_memory": "2000"}, {}, "memory-full"),
    "no client more": ({}, {"maxclients": "10"}, "clients-full"),
    "data is being read": ({"loading": "1"}, {}, "loading"),
    "fenced": ({"role": "master", "min_slaves_good_slaves": "0"}, {"min-replicas-to-write": "1"}, "fenced"),
    "the master is silent": ({**_FOLLOWS, "master_last_io_seconds_ago": str(SILENCE + 1)}, {}, "master-silent"),
}  # fmt: skip
CONFIG = {"save": "3600 1000", "maxclients": "10000", "min-replicas-to-write": "0"}


def server(info: dict[str, str], config: dict[str, str], *, saves: bool = True) -> list[str]:
    """Return the codes for a server that is sound but for these."""
    found = troubles("a@b", {**SOUND, **info}, {**CONFIG, **config}, NOW, saves=saves)
    return [each.code for each in found]


@pytest.mark.parametrize("name", OF_A_SERVER)
def test_a_server(name: str) -> None:
    info, config, code = OF_A_SERVER[name]
    assert server(info, config) == [code]


@pytest.mark.parametrize(
    ("info", "config"),
    [
        ({}, {}),
        ({"rdb_changes_since_last_save": "1000", "rdb_bgsave_in_progress": "1"}, {}),
        ({"rdb_changes_since_last_save": "999999"}, {"save": ""}),
        ({"used_memory": "2000", "maxmemory_policy": "allkeys-lru"}, {}),
        ({"used_memory": "2000", "maxmemory": "0"}, {}),
        ({"used_memory": "2000", **_FOLLOWS}, {}),
        ({"role": "master", "min_slaves_good_slaves": "1"}, {"min-replicas-to-write": "1"}),
        ({**_FOLLOWS, "master_last_io_seconds_ago": str(SILENCE)}, {}),
    ],
)
def test_a_server_that_is_sound(info: dict[str, str], config: dict[str, str]) -> None:
    assert server(info, config) == []


def test_who_saves_nothing_on_purpose_is_sound() -> None:
    assert server({"aof_enabled": "0"}, {"save": ""}, saves=False) == []


@pytest.mark.parametrize(
    ("config", "stops"),
    [
        ({"stop-writes-on-bgsave-error": "yes"}, True),
        ({"stop-writes-on-bgsave-error": "no"}, False),
        ({"save": ""}, False),
    ],
)
def test_a_snapshot_that_fails_is_said_to_stop_writes_only_where_it_does(config: dict[str, str], stops: bool) -> None:
    (found,) = troubles("", {**SOUND, "rdb_last_bgsave_status": "err"}, {**CONFIG, **config}, NOW, saves=True)
    assert ("refuses writes" in found.what) is stops


@pytest.mark.parametrize(
    ("info", "config", "ends"),
    [
        ({"rdb_last_bgsave_status": "err"}, {}, True),
        ({"aof_last_write_status": "err"}, {"save": ""}, True),
        ({"rdb_last_bgsave_status": "err"}, {"save": ""}, False),
        ({"rdb_last_bgsave_status": "err"}, {"stop-writes-on-bgsave-error": "no"}, False),
        ({"aof_last_write_status": "err"}, {"replica-ignore-disk-write-errors": "yes"}, False),
        ({"aof_last_write_status": "err", "role": "master"}, {}, False),
        ({"aof_last_bgrewrite_status": "err"}, {}, False),
    ],
)
def test_a_replica_that_the_next_write_ends(info: dict[str, str], config: dict[str, str], ends: bool) -> None:
    usual = {"replica-ignore-disk-write-errors": "no"}
    assert ("ends-at-write" in server({**_FOLLOWS, **info}, {**usual, **config})) is ends
    # Before 7.0 there is no such directive, and no replica ends itself.
    config.pop("replica-ignore-disk-write-errors", None)
    assert "ends-at-write" not in server({**_FOLLOWS, **info}, config)


def seen(processes: dict[str, dict[str, Any]]) -> set[tuple[str, str]]:
    """Return (code, subject) of all troubles of the sentinel sample with these changes."""
    fleet = fleet_of("sentinel")
    return {
        (each.code, each.subject) for each in deployment_troubles(fleet, observed(fleet, {"processes": processes}), NOW)
    }


OF_A_DEPLOYMENT: dict[str, tuple[dict[str, dict[str, Any]], set[tuple[str, str]]]] = {
    "a link is down": ({REPLICA: {"link": "down"}}, {("link-down", REPLICA)}),
    "no replica is in step": (
        {REPLICA: {"link": "down"}, OTHER: {"link": "down"}},
        {("link-down", REPLICA), ("link-down", OTHER), ("no-fit-replica", "orders")},
    ),
    "no replica may be promoted": (
        {REPLICA: {"info": {"slave_priority": "0"}}, OTHER: {"info": {"replica_priority": "0"}}},
        {("no-fit-replica", "orders")},
    ),
    "two masters": ({REPLICA: {"role": "master"}}, {("two-masters", "orders")}),
    "a replica of another": ({REPLICA: {"role": "10.9.9.9:6379"}}, {("follows-another", REPLICA)}),
    "a snapshot failed": ({MASTER: {"info": {"rdb_last_bgsave_status": "err"}}}, {("save-fails", MASTER)}),
    "a Sentinel that names another": (
        {SENTINEL: {"names": REPLICA}}, {("names-another", SENTINEL), ("sentinels", "orders")}),
    "a Sentinel that does not watch it": ({SENTINEL: {"watches": []}}, {("unwatched", SENTINEL)}),
    "a Sentinel that holds it for down": ({SENTINEL: {"flags": "s_down,master"}}, {("holds-for", SENTINEL)}),
    "a failover": (
        {SENTINEL: {"flags": "master,failover_in_progress"}}, {("holds-for", SENTINEL), ("sentinels", "orders")}),
    "a Sentinel that knows too few": ({SENTINEL: {"knows": 1}}, {("sentinels-known", SENTINEL)}),
    "a Sentinel with a replica that is gone": (
        {SENTINEL: {"replicas": ["10.0.0.99:6379 s_down,slave,disconnected"]}},
        {("replicas-known", SENTINEL), ("replicas-known-down", SENTINEL)},
    ),
    "no majority": (
        {SENTINEL: {"is": "down"}, "sentinel-26379@red1": {"is": "down"}},
        {("sentinels", "orders"), ("down", SENTINEL), ("down", "sentinel-26379@red1")},
    ),
    "no master": (
        {MASTER: {"is": "down"}},
        {("no-master", "orders"), ("down", MASTER)},
    ),
    "a Sentinel that is in tilt": ({SENTINEL: {"info": {"sentinel_tilt": "1"}}}, {("tilt", SENTINEL)}),
    "a full disk": ({REPLICA: {"free": 500, "info": {"used_memory": "1000"}}}, {("disk-full", REPLICA)}),
    "a data folder that is gone": ({REPLICA: {"data": None}}, {("folder-gone", REPLICA)}),
    "writes are held back": ({MASTER: {"paused": True}}, {("paused", MASTER)}),
    "a damaged file": ({REPLICA: {"is": "down", "damaged": True}}, {("file-damaged", REPLICA)}),
    "a process that hangs": ({SENTINEL: {"is": "down", "pid": 7}}, {("silent", SENTINEL)}),
    "another password": (
        {SENTINEL: {"is": "down", "pid": 7, "error": "WRONGPASS no"}}, {("locked-out", SENTINEL)}),
    "systemd started it again": (
        {REPLICA: {"restarts": 2, "info": {"uptime_in_seconds": "9"}}}, {("started-again", REPLICA)}),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_A_DEPLOYMENT)
def test_a_deployment(name: str) -> None:
    changes, expected = OF_A_DEPLOYMENT[name]
    assert seen(changes) == expected


def test_a_deployment_that_is_sound() -> None:
    assert seen({}) == set()
