"""Plain ansible-playbook does what the command does: ``ansible-playbook -i FILE playbooks/deploy.yml``."""

from __future__ import annotations

import re
from pathlib import Path

from redis_fleet.sandbox import binary
from tests.harness.done import Done
from tests.harness.live.sandboxes import PLAYBOOK, box


def changed(done: Done) -> dict[str, int]:
    """Return the changed counts of the recap."""
    return {
        host: int(count) for host, count in re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", done.out, re.MULTILINE)
    }


def test_deploy_plans_aloud_changes_and_then_changes_nothing(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel", up=False) as made:
        made.prepare(binary.find("redis").path)
        hosts = set(made.fleet.machines)

        dry = made.play("deploy", "--check", "--diff")
        assert dry.code == 0, dry.both
        assert changed(dry).keys() == hosts
        assert min(changed(dry).values()) > 0
        assert "appendfsync everysec" in dry.out
        assert made.pids() == {}
        assert [path.name for path in made.root.rglob("*")] == ["sandbox.json"]

        first = made.play("deploy")
        assert first.code == 0, first.both
        assert min(changed(first).values()) > 0
        assert "1. START       orders-6379@red1: write " in first.out
        assert "first deployment" in first.out
        before = made.pids()
        assert before.keys() == {process.id for process in made.fleet.processes}

        for again in (made.play("deploy"), made.play("deploy", "--check", "--diff"), made.play("plan")):
            assert again.code == 0, again.both
            assert "nothing to do" in again.out
            assert changed(again) == dict.fromkeys(hosts, 0)
        assert made.pids() == before

        # The command and the playbook are the same thing.
        command = made.on("deploy", "--json")
        assert command.code == 0
        assert command.json()["changed"] == dict.fromkeys(hosts, 0)
        for name in ("verify", "status"):
            done = made.play(name)
            assert done.code == 0, done.both
            assert set(changed(done).values()) == {0}


def test_an_invalid_file_stops_the_run_with_every_problem(tmp_path: Path) -> None:
    mistakes = {"appendfsync:": "apendfsync:", "auto-aof-rewrite-percentage: 100": "auto-aof-rewrite-percentage: many"}
    with box(tmp_path / "box", "standalone", mistakes, up=False) as made:
        done = made.run(PLAYBOOK, "-i", made.file, "playbooks/deploy.yml")

        assert done.code != 0
        assert f"{made.file}:15: services.orders.config.apendfsync: is not a directive" in done.both
        assert f"{made.file}:16: services.orders.config.auto-aof-rewrite-percentage: " in done.both
        assert "PLAY [" not in done.out
