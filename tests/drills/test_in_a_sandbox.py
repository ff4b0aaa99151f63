"""The drills on a deployment, from the command line: in the sandbox of a description, whole and broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.done import Done
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import Box, box

# How often each: the last takes long, and what it does to a deployment is done twice elsewhere.
DRILLS = {"types": 2, "leaderboard": 2, "replication": 2, "sentinel": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give a sandbox with a master, two replicas and three Sentinels."""
    with box(tmp_path_factory.mktemp("drilled") / "box", "sentinel") as one:
        yield one


def drilled(done: Done) -> dict[str, Any]:
    """Return the one drill of a command's JSON."""
    (report,) = done.json()["drills"]
    return dict(report)


def keys(made: Box) -> list[str]:
    """Return every key of every server."""
    servers = [process.id for process in made.fleet.services[0].processes]
    return [str(key) for name in servers for key in made.server(name).keys("*")]


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each == "replication" else pytest.mark.long) for each in DRILLS]
)
def test_it_passes_again_and_again_and_leaves_the_deployment_as_it_was(made: Box, name: str) -> None:
    for _ in range(DRILLS[name]):
        done = made.on("drill", name, "--json")
        assert done.code == 0, done.both
        assert drilled(done)["ok"]
        assert keys(made) == []
        assert set(made.pids()) == {process.id for process in made.fleet.processes}
        assert not [each for each in made.leftovers() if each.startswith("tmp/redis-fleet-drill")]
        eventually(lambda: made.settled("orders"), "the deployment is whole")


@pytest.mark.long
def test_a_writable_replica_is_told_and_the_exit_code_is_1(made: Box) -> None:
    replica = next(each.id for each in made.fleet.services[0].processes if each.id != made.master("orders"))
    made.server(replica).config_set("replica-read-only", "no")
    try:
        done = made.on("drill", "replication", "--json")
    finally:
        made.server(replica).config_set("replica-read-only", "yes")
    assert done.code == 1
    report = drilled(done)
    assert not report["ok"]
    assert any("expected: (error) READONLY" in problem for problem in report["problems"]), report["problems"]
    assert keys(made) == []


@pytest.mark.long
def test_lost_sentinels_are_told_and_the_exit_code_is_1(made: Box) -> None:
    for sentinel in made.fleet.sentinels[1:]:
        made.kill(sentinel.id)
    done = made.on("drill", "sentinel")
    assert done.code == 1
    assert "differs: SENTINEL MASTERS: nothing listens there (connection refused)" in done.both
    assert "0 of 1 drills as documented" in done.both
