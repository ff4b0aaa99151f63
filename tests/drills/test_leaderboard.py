"""The drill about leaderboards, and the course's own code for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from redis_fleet.drills.context import Place
from redis_fleet.drills.drill import find, perform
from redis_fleet.drills.lab import Lab
from redis_fleet.drills.leaderboard import Board, places_of
from redis_fleet.drills.report import Step
from redis_fleet.loopback import free_ports
from tests.drills.breaking import differs, per_engine
from tests.drills.deployments import of_group, performed_on, small
from tests.harness.engines import Binary
from tests.harness.live.processes import Group, running_group, server_binary


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        yield running


def test_equal_scores_are_ranked_as_the_server_ranks_them() -> None:
    board = Board({"a": 5, "c": 7, "b": 5})
    board.play("a", 0)
    with Lab(server_binary()) as lab:
        server = lab.server("ranks").start()
        server.call("ZADD", "board", 5, "a", 7, "c", 5, "b")
        assert board.ranked == places_of(server.call("ZREVRANGE", "board", 0, -1, "WITHSCORES"))
    board.play("a", 10)
    assert board.ranked == [("a", "15"), ("c", "7"), ("b", "5")]


def test_the_code_of_the_course_prints_what_it_says() -> None:
    with Lab(server_binary()) as lab, redis.Redis(host="127.0.0.1", port=lab.server("music").start().port, db=0) as r:
        r.zadd("ranking", {"song1": 1, "song2": 1, "song3": 1, "song4": 1})
        r.zadd("ranking", {"song5": 1, "song6": 1, "song7": 1, "song8": 1})
        r.zincrby("ranking", 50, "song3")
        r.zincrby("ranking", 60, "song4")
        r.zincrby("ranking", 70, "song8")
        top: Any = r.zrevrange("ranking", 0, 2, withscores=True)
        assert [(name.decode(), int(plays)) for name, plays in top] == [("song8", 71), ("song4", 61), ("song3", 51)]

        r.zadd("mobile-001", {"huawei": 5000, "oppo": 4000, "iphone": 3000})
        r.zadd("mobile-002", {"huawei": 5200, "oppo": 4300, "iphone": 3230})
        r.zadd("mobile-003", {"huawei": 5500, "oppo": 4400, "iphone": 3600})
        r.zunionstore("mobile-001:003", ("mobile-001", "mobile-002", "mobile-003"), aggregate="max")
        sold: Any = r.zrevrange("mobile-001:003", 0, 2, withscores=True)
        assert [(name.decode(), int(sum)) for name, sum in sold] == [("huawei", 5500), ("oppo", 4400), ("iphone", 3600)]


def test_ranks_are_the_same_after_a_failover_twice(group: Group) -> None:
    deployment = of_group(group, disturb=True)
    for _ in range(2):
        old = deployment.master().name
        report = performed_on("leaderboard", deployment)
        assert report.ok, report.problems
        assert deployment.master().name != old
        after = [step for step in report.steps if step.part == "The same board after the master died"]
        assert [step.seen for step in after if step.doing.startswith("ZREVRANGE")] == [
            "100,000 places, 0 not as counted"
        ]


def test_without_permission_the_master_stays_and_the_rest_passes(group: Group) -> None:
    deployment = of_group(group, disturb=False)
    old = deployment.master().name
    report = performed_on("leaderboard", deployment)
    assert report.ok, report.problems
    assert "left out: it would disturb" in report.steps[-1].seen
    assert deployment.master().name == old


@per_engine
def test_it_passes_on_every_version(binary: Binary) -> None:
    with small(str(binary.server)) as (deployment, _):
        report = performed_on("leaderboard", deployment)
    assert report.ok, report.problems


@pytest.mark.long
def test_it_says_when_one_player_is_lost_in_the_failover(group: Group) -> None:
    whole = of_group(group, disturb=True)

    def losing() -> Mapping[str, Any]:
        report = whole.failover()
        (board,) = (key for key in whole.master().call("KEYS", "*players"))
        whole.master().call("ZPOPMIN", board)
        return report

    differs(performed_on("leaderboard", replace(whole, failover=losing)), "99,999 places, 1 not as counted")


def test_an_interrupt_leaves_no_key() -> None:
    def interrupted(step: Step) -> None:
        if step.doing.startswith("ZREVRANK players"):
            raise KeyboardInterrupt

    drill = find("leaderboard")
    assert drill
    with small(server_binary()) as (deployment, servers):
        with pytest.raises(KeyboardInterrupt):
            perform(drill, Place("", lambda: deployment), interrupted)
        assert servers[0].call("KEYS", "*") == []


@pytest.mark.long
def test_it_says_when_a_replica_shows_old_ranks() -> None:
    with small(server_binary()) as (deployment, servers):
        servers[1].call("REPLICAOF", "127.0.0.1", free_ports(1)[0])
        report = performed_on("leaderboard", deployment)
    differs(report, "WAIT 2 5000: (integer) 1", "0 places, 100,000 not as counted")
