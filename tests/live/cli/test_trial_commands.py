"""What the rules let through and the real server refuses is refused by check, plan and deploy, before any change."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from redis_fleet.sandbox.binary import find
from tests.harness.done import Done
from tests.harness.live.processes import server_binary
from tests.harness.live.sandboxes import COMMAND, ROOT, Box, box
from tests.live.cli.test_refusals import everything

GOOD = "appendfsync: everysec"
# Which commands there are the server alone knows.
BAD = f"{GOOD}\n      rename-command: [NO-SUCH-COMMAND X]"


def change(made: Box, old: str, new: str) -> None:
    """Change the description."""
    text = made.file.read_text(encoding="utf-8")
    assert old in text
    made.file.write_text(text.replace(old, new), encoding="utf-8")


def check(made: Box, *words: object, path: str | None = None) -> Done:
    """Run ``redis-fleet check``."""
    return made.run(COMMAND, "check", *words, made.file, environment={"PATH": path} if path else None)


def files(made: Box) -> dict[str, tuple[int, int]]:
    """Return every file and folder of the sandbox and of temporary files, with the time of its change and its size.

    What servers write by themselves changes all the time.
    """
    return {
        name: (0, 0) if name.endswith((".log", ".rdb", ".aof", "/data")) else _stamp(made.folder / name)
        for name in made.leftovers()
        if "ansible" not in name
    }


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def line_of(made: Box, start: str) -> str:
    """Return FILE:LINE of the one line of the description that begins so."""
    lines = made.file.read_text(encoding="utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines, 1) if line.strip().startswith(start))
    return re.escape(f"{made.file.name}:{number}")


def complaint(made: Box) -> str:
    """Return what must be said, as a pattern."""
    place = rf"{line_of(made, 'rename-command:')}: services\.orders\.config\.rename-command"
    return rf"{place}: \w+ [\d.]+( on red1)? refuses it: No such command in rename-command; correct the value"


def assert_refused(made: Box, done: Done, code: int, said: str) -> None:
    """It exits with this and says the complaint there, once."""
    assert done.code == code, done.both
    assert len(re.findall(complaint(made), said)) == 1, done.both


def test_check_asks_the_server_that_it_is_given(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone", up=False) as made:
        before = made.leftovers()
        # Said from the folder of the command, though it is started in others.
        good = check(made, "--binary", os.path.relpath(server_binary(), ROOT))
        change(made, GOOD, BAD)
        bad, told = check(made, "--binary", server_binary()), check(made, "--binary", server_binary(), "--json")
        silent = check(made, "--no-binary")

        assert good.code == silent.code == 0, good.both + silent.both
        assert re.search(r"standalone\.redis\.yml: \w+ [\d.]+ was asked\n", good.out)
        assert "was asked" not in silent.both
        assert_refused(made, bad, 2, bad.out)
        assert ": ok" not in bad.out
        assert [each["path"] for each in told.json()["problems"]] == ["services.orders.config.rename-command"]
        secret = next((made.folder / ".secrets").iterdir()).read_text().strip()
        assert secret
        assert secret not in bad.both + told.both
        assert made.leftovers() == before


def test_check_asks_the_server_on_the_path_when_it_is_of_the_described_version(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone", up=False) as made:
        folder = made.folder / "bin"
        folder.mkdir()
        bare = f"{folder}:/usr/sbin:/sbin"
        change(made, GOOD, BAD)
        nobody = check(made, path=bare)
        version = fake(folder / "redis-server", server_binary())
        somebody = check(made, path=bare)
        change(made, "name: standalone", f'name: standalone\nversion: "{version}"')
        same = check(made, path=bare)
        change(made, f'version: "{version}"', 'version: "6.2"')
        other = check(made, path=bare)

        assert nobody.code == 0, nobody.both
        assert "no binary was asked: there is no redis-server on PATH" in nobody.out
        assert somebody.code == same.code == 2
        assert "NO-SUCH" not in somebody.out
        assert "No such command in rename-command" in somebody.out
        assert "No such command in rename-command" in same.out
        assert other.code == 0, other.both
        assert re.search(r"no binary was asked: \S+/redis-server is \w+ [\d.]+, not 6\.2\n", other.out)


def fake(path: Path, server: str) -> str:
    """Put a server under another name; returns the first two numbers of its version."""
    path.write_text(f'#!/bin/sh\nexec {server} "$@"\n')
    path.chmod(0o755)
    words = os.popen(f"{server} --version").read()
    found = re.search(r"v=(\d+\.\d+)", words)
    assert found
    return found[1]


def test_check_leaves_what_only_the_machines_have(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel", up=False) as made:
        lines = ["loadmodule: [/not/there/search.so]", "user: [alice on >Blue-Moon_77-long +ft.search]"]
        change(made, GOOD, "\n      ".join((GOOD, *lines)))
        change(made, "failover-timeout: 60000", "failover-timeout: 60000\n    notification-script: /not/there/notify")

        done = check(made, "--binary", server_binary())
        change(made, GOOD, BAD)
        bad = check(made, "--binary", server_binary())

        assert done.code == 0, done.both
        assert "though not about what only the machines have: loadmodule, notification-script\n" in done.out
        assert_refused(made, bad, 2, bad.out)
        assert "Blue-Moon" not in bad.both


@pytest.mark.parametrize("lines", ["sleep 600", "kill -9 $$", "exit 1"])
def test_check_says_that_a_binary_is_of_no_use(tmp_path: Path, lines: str) -> None:
    with box(tmp_path / "box", "standalone", up=False) as made:
        server = made.folder / "server"
        server.write_text(f"#!/bin/sh\n{lines}\n")
        server.chmod(0o755)

        done = check(made, "--binary", server)

        assert done.code == 2, done.both
        assert f"{server} was asked: it " in done.out
        assert made.processes() == {}


def test_plan_and_deploy_refuse_before_they_change_anything(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone") as made:
        (secret,) = {each.password.reveal() for each in made.fleet.processes if each.password}
        change(made, GOOD, BAD)
        before, there = everything(made), files(made)

        plan, told, deploy = made.on("plan"), made.on("plan", "--json"), made.on("deploy", "--yes")
        dry = made.play("deploy", "--check")

        assert_refused(made, plan, 1, plan.err)
        assert_refused(made, deploy, 1, deploy.err)
        assert_refused(made, told, 1, "\n".join(told.json()["refusals"]))
        assert told.json()["ok"] is False
        assert told.json()["steps"] == []
        assert [row["code"] for row in told.json()["refused"]] == ["file-refused"]
        assert dry.code != 0
        assert re.search(complaint(made), dry.both), dry.both
        assert "nothing was changed" in deploy.err
        assert secret not in "".join(each.both for each in (plan, told, deploy, dry))
        assert everything(made) == before
        assert files(made) == there

        # The same without what it refuses is done.
        change(made, BAD, "appendfsync: always")
        assert made.on("deploy").code == 0


def test_a_first_deployment_writes_nothing_that_is_refused(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel", up=False) as made:
        made.prepare(find("redis").path)
        made.file.write_text(made.file.read_text().replace("failover-timeout: 60000", OF_SENTINELS).replace(GOOD, USER))

        done = made.on("deploy", "--yes")

        assert done.code == 1, done.both
        where = r" \w+ [\d.]+ on red1, red2 and red3 refuses it: "
        user = rf"{line_of(made, 'user: [alice')}: services\.orders\.config\.user:{where}Error .*\+no-such-command"
        assert re.search(user, done.err), done.err
        assert re.search(rf"{line_of(made, 'user: [bob')}: sentinel\.config\.user:{where}Error .*", done.err), done.err
        assert "Blue-Moon" not in done.both
        assert [path.name for path in made.root.rglob("*")] == ["sandbox.json"]
        assert made.pids() == {}


OF_SENTINELS = "failover-timeout: 60000\n    user: [bob on >Blue-Moon_77-long +@no-such-category]"
USER = f"{GOOD}\n      user: [alice on >Blue-Moon_77-long +no-such-command]"


def test_a_server_that_hangs_ends_the_run_in_time(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone", up=False) as made:
        server = made.folder / "server"
        server.write_text("#!/bin/sh\nsleep 600\n")
        server.chmod(0o755)
        made.prepare(str(server))

        done = made.play("plan", "-e", "redis_fleet_trial_seconds=1")

        assert done.code != 0
        assert "was tried with the file of orders-6379: it does not answer within 1 s" in done.both
        assert made.processes() == {}
        assert [path.name for path in made.root.rglob("*")] == ["sandbox.json"]
