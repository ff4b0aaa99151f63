"""A deployment without Sentinels: changes of the master are by hand, and deployments go on from them.

The description names red1 as the master all the time and is not edited because of anything that happens here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.process.start import spawn
from redis_fleet.observe.request import managed
from tests.harness.done import Done
from tests.harness.live.editing import ask, deploy, fill, filled, planned, role, stop, told, unchanged, writing
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, box, config

RED1, RED2, RED3 = SERVERS = ("orders-6379@red1", "orders-6379@red2", "orders-6379@red3")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give a master with 1000 keys and two replicas."""
    with box(tmp_path_factory.mktemp("hand") / "box", "replication") as one:
        fill(one, RED1)
        yield one


def command(made: Box, *words: str) -> Done:
    """Run ``redis-fleet WORD --sandbox --yes FILE orders WORDS``."""
    return made.run(COMMAND, words[0], "--sandbox", "--yes", made.file, "orders", *words[1:])


def is_master(made: Box, master: str) -> bool:
    """Whether a server is the master and all others are linked to it."""
    endpoint = made.process(master).endpoint
    others = [role(made, name)[:4] for name in SERVERS if name != master]
    expected = ["slave", endpoint.address, endpoint.port, "connected"]
    return bool(role(made, master)[0] == "master") and others == [expected, expected]


@pytest.mark.long
def test_a_switchover_loses_nothing_and_the_next_deployment_agrees(made: Box) -> None:
    before = made.pids()
    with writing(made) as measured:
        done = command(made, "switchover", "--to", "red2")
    assert done.code == 0, done.both
    measured.lost_nothing()
    assert is_master(made, RED2)
    assert filled(made, RED2)

    unchanged(made)
    assert made.pids() == before
    assert is_master(made, RED2)


@pytest.mark.long
def test_a_lost_master_that_was_replaced_comes_back_as_a_replica(made: Box) -> None:
    made.kill(RED2)
    done = command(made, "promote", "--to", "red3")
    assert done.code == 0, done.both
    assert role(made, RED3)[0] == "master"
    endpoint = made.process(RED3).endpoint
    assert role(made, RED1)[1:3] == [endpoint.address, endpoint.port]
    with made.server(RED3) as client:
        client.set("after", "the promotion")

    # Somebody starts it with the file that it had: it says that it is a master, and it takes writes.
    start_by_hand(made, RED2)
    eventually(lambda: RED2 in made.pids(), "it is back")
    assert role(made, RED2)[0] == "master"
    with made.server(RED2) as client:
        client.set("stray", "write")

    (step,) = planned(made)["steps"]
    assert (step["how"], step["process"], step["machine"]) == ("LIVE", "orders-6379", "red2")
    assert "redis-fleet made" in step["reason"]
    deploy(made)
    assert is_master(made, RED3)
    with made.server(RED2) as client:
        assert (client.get("after"), client.get("stray")) == ("the promotion", None)
        assert config(made.process(RED2))["min-replicas-to-write"] == "0"
    assert filled(made, RED2)


def start_by_hand(made: Box, name: str) -> None:
    """Start a server with its own file."""
    process = made.process(name)
    assert made.fleet.sandbox
    spawn(made.fleet.sandbox.server, managed(process))


@pytest.mark.long
def test_a_lost_master_that_stays_down_until_the_deployment_comes_back_as_a_replica(made: Box) -> None:
    made.kill(RED3)
    done = command(made, "promote", "--to", "red1")
    assert done.code == 0, done.both

    plan = planned(made)
    assert told(plan) == [("START", RED3)]
    deploy(made)
    assert is_master(made, RED1)
    text = Path(made.process(RED3).paths.log).read_text(encoding="utf-8")
    last = text.rsplit("Ready to accept connections", 1)[1]
    assert ":M " not in last, "it never was a master again"
    assert filled(made, RED3)


@pytest.mark.long
def test_a_rolling_restart_moves_the_master_once(made: Box) -> None:
    before, old = made.pids(), RED1
    ask(made, databases=18)
    plan = planned(made)
    assert [how for how, _ in told(plan)] == ["RESTART", "RESTART", "SWITCHOVER", "RESTART"]
    assert told(plan)[-1][1] == old
    assert "no Sentinel tells clients" in plan["steps"][2]["interruption"]

    with writing(made) as measured:
        report = deploy(made, "--yes")

    measured.lost_nothing()
    (switch,) = report["reports"]
    assert (switch["old_master"], switch["acknowledged_lost"]) == (old, 0)
    assert is_master(made, switch["new_master"])
    after = made.pids()
    assert {name for name in SERVERS if before[name] != after[name]} == set(SERVERS)
    for name in SERVERS:
        found = config(made.process(name))
        assert (found["databases"], found["min-replicas-to-write"], found["replica-priority"]) == ("18", "0", "100")
        assert filled(made, name)


@pytest.mark.long
def test_all_servers_are_stopped_and_come_back_as_they_were(made: Box) -> None:
    master = next(name for name in SERVERS if role(made, name)[0] == "master")
    for name in SERVERS:
        stop(made, name)
    deploy(made)
    assert is_master(made, master)
    assert all(filled(made, name) for name in SERVERS)
