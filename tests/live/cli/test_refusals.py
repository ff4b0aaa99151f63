"""What a deployment must not touch: no majority of Sentinels, values that would cost data."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from redis_fleet.model import Process
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import Box, box, client_of, config, watched


def everything(made: Box) -> dict[str, object]:
    """Return what must stay: pids, every server's configuration and role, and every Sentinel's master."""
    found: dict[str, object] = {"pids": made.pids()}
    for process in made.fleet.processes:
        if process.id not in made.pids():
            continue
        if process.kind == "server":
            role = client_of(process).role()[0]
            found[process.id] = (config(process), role)
        else:
            master = watched(process, "orders")
            found[process.id] = (master["ip"], master["port"], master["config-epoch"])
    return found


def assert_refused(made: Box, *words: str) -> list[str]:
    """Plan and deploy say these words, exit with 1 and change nothing; returns the refusals."""
    before = everything(made)
    plan, deploy = made.on("plan", "--json"), made.on("deploy")

    assert (plan.code, deploy.code) == (1, 1), plan.both + deploy.both
    assert plan.json()["steps"] == []
    assert plan.json()["ok"] is False
    refused: list[str] = plan.json()["refusals"]
    for word in words:
        assert word in "\n".join(refused)
        assert word in deploy.err
    assert everything(made) == before
    return refused


@pytest.mark.long
def test_values_that_would_cost_data_are_refused_with_both_values(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        text = made.file.read_text(encoding="utf-8")
        with made.server(made.master("orders")) as master:
            master.execute_command("SELECT", 9)
            master.set("in the last database", 1)

        # The second change alone would be fine.
        lines = ("appendfsync: always", "dbfilename: other.rdb", "databases: 8")
        changed = text.replace("appendfsync: everysec", "\n      ".join(lines))
        made.file.write_text(changed, encoding="utf-8")

        refused = assert_refused(
            made,
            *(f"orders-6379@red{number}: dbfilename 'dump.rdb' → 'other.rdb': a server that" for number in (1, 2, 3)),
            *(f"orders-6379@red{number}: databases '16' → '8': database 9 holds keys" for number in (1, 2, 3)),
        )
        assert len(refused) == 6

        made.file.write_text(text, encoding="utf-8")
        done = made.on("deploy", "--json")
        assert done.code == 0, done.both
        assert set(done.json()["changed"].values()) == {0}


def start_by_hand(made: Box, process: Process) -> None:
    """Start a Sentinel as an operator would."""
    server = made.fleet.sandbox
    assert server
    subprocess.run([server.server, process.paths.configuration, "--sentinel"], check=True, timeout=30)


@pytest.mark.long
def test_a_killed_sentinel_comes_back_and_two_of_three_stop_everything(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        before = made.pids()
        made.kill("sentinel-26379@red3")

        plan, status = made.on("plan"), made.on("status", "--json")
        assert plan.code == 3, plan.both
        assert "start sentinel-26379" in plan.out
        assert status.code == 1
        down = [row for row in status.json()["processes"] if not row["up"]]
        assert [row["process"] for row in down] == ["sentinel-26379@red3"]

        done = made.on("deploy", "--json")
        assert done.code == 0, done.both
        after = made.pids()
        assert {name for name in before if after[name] != before[name]} == {"sentinel-26379@red3"}

        silent = ["sentinel-26379@red1", "sentinel-26379@red3"]
        for name in silent:
            made.kill(name)
        assert_refused(made, *silent, "only 1 of 3 Sentinels answer")
        kept = everything(made)
        drill = made.on("verify", "--drill", "failover", "--yes")
        assert drill.code == 1, drill.both
        assert all(name in drill.err for name in silent)
        assert everything(made) == kept

        # As the refusal says: start or repair them.
        start_by_hand(made, made.process(silent[0]))
        eventually(lambda: silent[0] in made.pids(), "it answers")
        assert made.on("deploy").code == 0
        assert made.pids().keys() == before.keys()


@pytest.mark.long
def test_a_server_that_hangs_is_left_alone_and_one_that_crashed_is_started(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone") as made:
        (process,) = made.fleet.processes
        pid = made.pids()[process.id]
        os.kill(pid, signal.SIGSTOP)
        hung = made.on("deploy")
        os.kill(pid, signal.SIGCONT)
        assert hung.code == 1
        assert f"runs (pid {pid}) and does not answer" in hung.err
        assert made.pids() == {process.id: pid}

        made.kill(process.id)
        bystander = subprocess.Popen(["sleep", "600"], env=made.variables())
        try:
            # The number of the dead server has been given to somebody else, and that one is no business of ours.
            Path(process.paths.pid).write_text(f"{bystander.pid}\n", encoding="ascii")
            done = made.on("deploy")
            assert done.code == 0, done.both
            assert made.pids().keys() == {process.id}
            assert bystander.poll() is None
        finally:
            bystander.kill()
            bystander.wait(timeout=60)
