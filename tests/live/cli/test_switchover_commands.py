"""The commands and the playbook that change a master, in a sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.agent.runs.manual_masters import read
from redis_fleet.topology.state_paths import masters_file
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, Running, box, client_of, config


@pytest.mark.long
def test_the_command_and_the_playbook_switch_a_watched_service(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        old = made.master("orders")

        asked = made.run(COMMAND, "switchover", "--sandbox", made.file, "orders")
        assert asked.code == 2
        assert "--yes" in asked.err
        unknown = made.run(COMMAND, "switchover", "--sandbox", "--yes", made.file, "orders", "--to", "red9")
        assert unknown.code == 2
        assert "no process on 'red9'" in unknown.err
        nobody = made.run(COMMAND, "promote", "--sandbox", "--yes", made.file, "orders")
        assert nobody.code == 1
        assert "Sentinels promote" in nobody.err
        assert made.master("orders") == old

        running = Running(made, COMMAND, "switchover", "--sandbox", "--yes", made.file, "orders", "--to", "red3")
        running.read_until("start writing")
        running.interrupt()
        assert running.end() == 130, running.said
        assert "interrupted" in running.said
        assert made.master("orders") == old
        for process in made.fleet.service("orders").processes:
            assert config(process)["replica-priority"] == "100"
            with client_of(process) as client:
                eventually(lambda client=client: client.dbsize() == 0, "the writer left no key")  # type: ignore[misc]

        done = made.run(COMMAND, "switchover", "--sandbox", "--yes", "--json", made.file, "orders", "--to", "red3")
        assert done.code == 0, done.both
        report = done.json()
        assert (report["ok"], report["old_master"], report["new_master"]) == (True, old, "orders-6379@red3")
        assert (report["acknowledged_lost"], report["undone"]) == (0, False)
        assert made.master("orders") == "orders-6379@red3"

        played = made.play("switchover", "-e", "redis_fleet_service=orders", "-e", "redis_fleet_to=red1")
        assert played.code == 0, played.both
        assert "orders-6379@red3 follows orders-6379@red1" in played.out
        assert made.master("orders") == "orders-6379@red1"

        made.kill("orders-6379@red2")
        lost = made.run(COMMAND, "switchover", "--sandbox", "--yes", made.file, "orders", "--to", "red2")
        assert lost.code == 1
        assert "nothing was touched: orders-6379@red2 does not answer" in lost.err
        assert not list(made.root.glob("*/.redis-fleet/masters.json"))


@pytest.mark.long
def test_the_commands_change_the_master_without_sentinels_and_remember_it(tmp_path: Path) -> None:
    with box(tmp_path / "box", "replication") as made:
        client_of(made.process("orders-6379@red1")).set("kept", "yes")

        done = made.run(COMMAND, "switchover", "--sandbox", "--yes", made.file, "orders", "--to", "red2")
        assert done.code == 0, done.both
        assert "orders-6379@red1 → orders-6379@red2" in done.out
        _remembers(made, "orders-6379@red2", 1)

        alive = made.run(COMMAND, "promote", "--sandbox", "--yes", made.file, "orders", "--to", "red3")
        assert alive.code == 1
        assert "answers as a master; use switchover" in alive.err
        _remembers(made, "orders-6379@red2", 1)

        made.kill("orders-6379@red2")
        promoted = made.run(COMMAND, "promote", "--sandbox", "--yes", "--json", made.file, "orders", "--to", "red3")
        assert promoted.code == 0, promoted.both
        assert promoted.json()["new_master"] == "orders-6379@red3"
        _remembers(made, "orders-6379@red3", 2)
        new = made.process("orders-6379@red3").endpoint
        with made.server("orders-6379@red1") as other:
            assert other.role()[:3] == ["slave", new.address, new.port]
            assert other.get("kept") == "yes"


def _remembers(made: Box, master: str, number: int) -> None:
    """Assert that all machines have the same record."""
    for machine in made.fleet.machines:
        record = read(masters_file(made.fleet, machine))["orders"]
        assert (record.master, record.number) == (str(made.process(master).endpoint), number), machine
