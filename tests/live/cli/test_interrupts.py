"""Ctrl-C, and worse, in the middle of things: nothing is left behind, and a killed master comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, Running, box, client_of, watched

# Of its tasks, which time, and how: files alone, servers half started, everything started.
MOMENTS = [
    ("Write all files", 1, Running.interrupt),
    pytest.param("Start Sentinels", 1, Running.interrupt, marks=pytest.mark.long),
    pytest.param("start servers", 1, Running.terminate, marks=pytest.mark.long),
    pytest.param("Wait until replicas", 1, Running.interrupt, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("moment", "times", "stop"), MOMENTS, ids=["write", "start", "start-sigterm", "wait"])
def test_an_interrupt_in_the_middle_of_up_leaves_nothing(
    tmp_path: Path, moment: str, times: int, stop: Callable[[Running], None]
) -> None:
    with box(tmp_path / "box", "sentinel", up=False) as made:
        running = Running(made, COMMAND, "sandbox", "up", made.file)
        running.read_until(moment, times)

        stop(running)

        assert running.end() == 130
        # Ansible may be hit in the middle of a fork and say so; our own code is not.
        assert "redis_fleet/cli" not in running.said
        assert "interrupted" in running.said
        eventually(lambda: not made.processes(), f"nothing runs: {made.processes()}")
        assert made.leftovers() == []


def begin_drill(made: Box, service: str) -> tuple[Running, str]:
    """Start a drill and return it right after its kill, with the id of the killed master."""
    old = made.master(service)
    words = ("verify", "--sandbox", "--drill", "failover", "--yes", "--service", service, made.file)
    running = Running(made, COMMAND, *words)
    running.read_until("was killed")
    return running, old


def assert_whole_again(made: Box, service: str, old: str) -> None:
    """The killed master is back as a replica of the new one, and no writer runs."""
    eventually(lambda: len(made.pids()) == len(made.fleet.processes), "every process answers")
    eventually(lambda: made.settled(service), "one master, all linked")
    assert made.master(service) != old
    assert [argv for argv in made.processes().values() if "redis-server" not in argv] == []
    assert list(Path(made.environment["TMPDIR"]).iterdir()) == []


def keys(made: Box) -> set[str]:
    """Return the drill's keys on any server."""
    return {
        str(key)
        for process in made.fleet.processes
        if process.kind == "server"
        for key in client_of(process).keys("redis-fleet:*")
    }


@pytest.mark.parametrize(
    ("sample", "service"), [("sentinel", "orders"), pytest.param("shared-machines", "cache", marks=pytest.mark.long)]
)
def test_ctrl_c_after_the_kill_brings_the_old_master_back(tmp_path: Path, sample: str, service: str) -> None:
    with box(tmp_path / "box", sample) as made:
        running, old = begin_drill(made, service)

        running.interrupt()

        assert running.end() == 130
        # Ansible may be hit in the middle of a fork and say so; our own code is not.
        assert "redis_fleet/cli" not in running.said
        assert made.pids().keys() == {process.id for process in made.fleet.processes}
        assert_whole_again(made, service, old)
        assert keys(made) == set()


@pytest.mark.long
def test_a_killed_command_line_does_not_stop_the_drill_and_a_deployment_repairs_the_rest(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        running, old = begin_drill(made, "orders")
        os.kill(running.process.pid, signal.SIGKILL)
        # Ansible goes on without it, to the end of the drill.
        eventually(lambda: all("redis-server" in argv for argv in made.processes().values()), "the drill ends", 60)
        assert_whole_again(made, "orders", old)

        running, old = begin_drill(made, "orders")
        own = {pid: argv for pid, argv in made.processes().items() if "redis-server" not in argv}
        writers = {pid for pid, argv in own.items() if "redis_fleet.agent.load_client.writer" in argv}
        for pid in own.keys() - writers:
            os.kill(pid, signal.SIGKILL)
        running.end()
        assert len(writers) == 1
        assert old not in made.pids()
        eventually(lambda: made.master("orders") not in ("", old), "the Sentinels replace it")
        eventually(lambda: not failing_over(made), "the failover ends")
        done = made.on("deploy")
        assert done.code == 0, done.both
        assert made.pids().keys() == {process.id for process in made.fleet.processes}
        # The writer ends by its own clock (redis_fleet.operations.ports.waits); this test does not wait for it.
        for pid in writers:
            os.kill(pid, signal.SIGKILL)


def failing_over(made: Box) -> bool:
    """Whether a Sentinel still leads a failover, during which a deployment refuses to do anything."""
    views = [watched(process, "orders") for process in made.fleet.sentinels]
    return any("failover_in_progress" in view["flags"] for view in views)
