"""The drill about the data types: its tables against real servers, and what it says of broken ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.drills.data_types import PARTS
from redis_fleet.drills.expect import Expectation
from redis_fleet.drills.lab import Lab
from redis_fleet.drills.tables import Row
from redis_fleet.loopback import free_ports
from tests.drills.breaking import broken, differs, per_engine
from tests.drills.deployments import performed_on, small
from tests.harness.engines import Binary
from tests.harness.live.processes import server_binary

ROWS = [row for _, rows in PARTS for row in rows]
# What the course teaches, in its order.
TAUGHT = """
    SETBIT BITCOUNT HSET HSETNX HMSET HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS HINCRBY HINCRBYFLOAT HDEL SADD
    SMEMBERS SCARD SREM SRANDMEMBER SISMEMBER SDIFF SDIFFSTORE SINTER SINTERSTORE SUNION SUNIONSTORE ZADD ZRANGE
    ZREVRANGE ZRANGEBYSCORE ZSCORE ZCOUNT ZCARD ZRANK ZREVRANK ZINCRBY ZREM ZREMRANGEBYSCORE ZUNIONSTORE ZINTERSTORE
    SET GET INCR DEL RPUSH LPOP LRANGE
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give a folder for servers."""
    with Lab(server_binary()) as made:
        yield made


def test_every_command_of_the_course_is_in_a_table() -> None:
    assert set(TAUGHT.split()) <= {row.text.split(" ", 1)[0] for row in ROWS}


def test_what_replicas_are_asked_only_reads(lab: Lab) -> None:
    server = lab.server("asked").start()
    for row in ROWS:
        name = row.text.split(" ", 1)[0]
        found = server.call("COMMAND", "INFO", name)[0]
        assert row.reads == (found is not None and "readonly" in found[2]), name


def test_every_key_of_a_row_stands_in_braces_and_becomes_one_of_the_drill() -> None:
    row = Row("BLPOP {queue} 1", ["{queue}", 1, None])
    assert row.keys == ["queue"]
    assert row.words("p:".__add__) == ("BLPOP", "p:queue", "1")
    assert row.expectation("p:".__add__) == ["p:queue", 1, None]
    assert all(row.keys for row in ROWS)
    assert all(row.expected is not None or "nil" in row.meaning or row.reads or "NX" in row.text for row in ROWS)


def test_it_passes_twice_on_a_master_and_its_replicas() -> None:
    with small(server_binary()) as (deployment, _):
        for _ in range(2):
            report = performed_on("types", deployment)
            assert report.ok, report.problems
    again = [step for step in report.steps if step.doing.endswith("reading commands again")]
    assert {step.where for step in again} == {"orders@red2", "orders@red3"}
    assert len(again) == 2 * len(PARTS)
    assert len(report.steps) == len(ROWS) + len(again) + 1
    assert not any("redis-fleet:drill" in step.doing + step.seen + step.expected for step in report.steps)


@per_engine
def test_it_passes_on_every_version(binary: Binary) -> None:
    with small(str(binary.server)) as (deployment, _):
        report = performed_on("types", deployment)
    assert report.ok, report.problems


def test_it_says_when_a_command_does_something_else(tmp_path: Path) -> None:
    # INCR becomes another name for DECR.
    swapped = broken(tmp_path, "--rename-command INCR hidden --rename-command DECR INCR")
    with small(str(swapped)) as (deployment, _):
        differs(performed_on("types", deployment), "INCR fans: (integer) 99 (expected: (integer) 101)", "unknown")


def test_it_says_when_a_replica_has_not_what_the_master_has() -> None:
    with small(server_binary()) as (deployment, servers):
        servers[1].call("REPLICAOF", "127.0.0.1", free_ports(1)[0])
        report = performed_on("types", deployment)
    differs(report, "the 9 reading commands again: GET message: (nil), not")
    assert {step.where for step in report.steps if not step.ok} == {"orders@red2"}
    # Only once is it waited for.
    assert report.seconds < 30


def test_it_says_when_there_are_two_masters() -> None:
    with small(server_binary()) as (deployment, servers):
        servers[2].call("REPLICAOF", "NO", "ONE")
        differs(performed_on("types", deployment), "2 masters", "orders@red2 is slave")


def test_a_failing_command_is_no_match_for_any_expectation() -> None:
    judged = [row.expected for row in ROWS if isinstance(row.expected, Expectation)]
    assert judged
    assert not any(each.holds(ReplyError("ERR something else")) for each in judged)
