"""redis-fleet repair and its playbook, in a sandbox with an append-only file that is really damaged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from redis_fleet.agent.conf import aof
from tests.harness.done import Done
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, box

ZEROS = 500
SERVER = "orders-6379@red1"
# With everysec the last writes may not be in the file yet when the process is killed: the disk is busy in tests.
AT_ONCE = {"appendfsync: everysec": "appendfsync: always"}


def files(made: Box, name: str) -> aof.Layout:
    """Return the append-only files of a process."""
    found = aof.layout(Path(made.process(name).paths.data), "appendonly.aof", "appendonlydir")
    assert found
    return found


def repair(made: Box, *words: object) -> Done:
    """Run redis-fleet repair in the sandbox."""
    return made.run(COMMAND, "repair", "--sandbox", made.file, SERVER, *words)


def filled(made: Box, count: int, first: int = 0) -> None:
    """Write so many keys, each with a command of its own."""
    with made.server(SERVER) as client:
        for number in range(first, first + count):
            client.set(f"key:{number}", number)


def refuses_to_start(made: Box) -> None:
    """Start the process by hand and wait until it has given up."""
    process, sandbox = made.process(SERVER), made.fleet.sandbox
    assert sandbox
    subprocess.run([sandbox.server, process.paths.configuration], check=False)
    log = Path(process.paths.log)
    eventually(lambda: "Bad file format" in log.read_text(), "it says what is wrong with its file")
    eventually(lambda: SERVER not in made.pids(), "it is down")


@pytest.mark.long
def test_a_damaged_end_is_cut_off_and_the_process_runs_again(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone", AT_ONCE) as made:
        filled(made, 300)
        running = repair(made, "--yes")
        assert running.code == 1
        assert "nothing was touched: orders-6379@red1 runs and answers" in running.err
        assert repair(made, "--help").code == 0
        unknown = made.run(COMMAND, "repair", "--sandbox", made.file, "orders-6379@red9", "--yes")
        assert (unknown.code, "is not a server" in unknown.err) == (2, True)

        made.kill(SERVER)
        sound = repair(made, "--yes")
        assert sound.code == 1
        assert "nothing was touched: nothing is wrong with" in sound.err

        last = files(made, SERVER).last
        data = last.read_bytes()
        last.write_bytes(data[:-ZEROS] + bytes(ZEROS))
        damaged = last.read_bytes()
        deployed = made.on("deploy", "--yes")
        assert (deployed.code, "redis-fleet repair" in deployed.err) == (1, True), deployed.both
        refuses_to_start(made)
        planned = made.on("plan", "--json")
        assert [each["code"] for each in planned.json()["refusals"]] == ["file-damaged"]
        assert f"redis-fleet repair {made.file} {SERVER}" in planned.err
        status = made.on("status", "--json")
        assert (status.code, [each["code"] for each in status.json()["troubles"]]) == (1, ["file-damaged"])

        asked = repair(made)
        assert asked.code == 2
        assert "would be cut off" in asked.both
        checked = made.play("repair", "--check", "-e", f"redis_fleet_process={SERVER}")
        assert checked.code == 0, checked.both
        assert "would be cut off" in checked.out
        assert last.read_bytes() == damaged
        assert SERVER not in made.pids()

        done = repair(made, "--yes", "--json")
        assert done.code == 0, done.both
        report = done.json()
        assert (report["ok"], report["process"], report["size"]) == (True, SERVER, len(data))
        assert ZEROS <= report["cut"] < ZEROS + 100
        assert report["commands"] == 0
        with made.server(SERVER) as client:
            kept = int(client.dbsize())
            assert report["keys"] == kept
            assert [client.get(f"key:{number}") for number in range(kept)] == [str(each) for each in range(kept)]
            assert 250 < kept < 300
        assert (Path(report["backup"]) / last.name).read_bytes() == damaged

        again = made.play("repair", "-e", f"redis_fleet_process={SERVER}")
        assert again.code != 0
        assert "runs and answers" in again.both
        assert made.on("plan").code == 0, "the lock is held still, or it is not as described"


@pytest.mark.long
def test_commands_behind_the_damage_are_only_thrown_away_on_demand(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone", AT_ONCE) as made:
        filled(made, 300)
        made.kill(SERVER)
        last = files(made, SERVER).last
        data = last.read_bytes()
        middle = len(data) // 2
        last.write_bytes(data[:middle] + bytes(100) + data[middle + 100 :])

        refused = repair(made, "--yes")
        assert refused.code == 1
        assert "whole commands" in refused.err
        assert last.stat().st_size == len(data)

        done = repair(made, "--yes", "--json", "--discard")
        assert done.code == 0, done.both
        assert done.json()["commands"] > 100
        with made.server(SERVER) as client:
            assert 100 < client.dbsize() < 200


@pytest.mark.long
def test_a_master_that_was_replaced_comes_back_as_a_replica(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        old = made.master("orders")
        with made.server(old) as client:
            client.set("kept", "yes")
            client.wait(2, 5000)
        made.kill(old)
        eventually(lambda: made.master("orders") not in ("", old), "a replica is promoted")
        last = files(made, old).last
        with last.open("ab") as file:
            file.write(bytes(ZEROS))
        done = made.run(COMMAND, "repair", "--sandbox", "--yes", "--json", made.file, old)
        assert done.code == 0, done.both
        new = made.process(made.master("orders")).endpoint
        assert done.json()["follow"] == f"{new.address} {new.port}"
        with made.server(old) as client:
            assert client.role()[0] == "slave", "it was a master again until the Sentinels noticed"
            eventually(lambda: client.info()["master_link_status"] == "up", "it is in step")
            assert client.get("kept") == "yes"
