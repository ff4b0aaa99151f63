"""Configurations are tried by the real binaries: what they refuse is found, and nobody else notices the trial."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from redis_fleet.agent.inspect.config_test import run_test, run_tests
from redis_fleet.agent.messages import kind as kinds
from redis_fleet.agent.messages.config_test import ConfigTest, ConfigText
from redis_fleet.loopback import free_ports
from tests.harness.engines import available
from tests.harness.live.processes import eventually, server_binary

BINARIES = {"here": server_binary(), **{str(each): str(each.server) for each in available()}}
every_binary = pytest.mark.parametrize("binary", BINARIES.values(), ids=BINARIES.keys())
HEAD = [
    "port 6379",
    "bind 10.9.9.9 127.0.0.1",
    "dir /var/lib/redis/not-there",
    "logfile /var/log/redis/not-there/orders.log",
    "requirepass Sand-Castle_7",
    "masterauth Sand-Castle_7",
]
SENTINEL = [
    *HEAD[:-1],
    f"sentinel myid {'7' * 40}",
    "sentinel monitor orders 10.9.9.8 6379 2",
    "sentinel auth-pass orders Sand-Castle_7",
    "sentinel known-replica orders 10.9.9.7 6379",
]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the trials a folder for temporary files of their own, which must be empty in the end; no process is left."""
    folder = tmp_path / ("temporary-files-" + "x" * 100)  # longer than the path of a socket may be
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
    assert processes_below(folder) == []


def processes_below(folder: Path) -> list[str]:
    """Return the command lines of the processes that work below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and str((entry / "cwd").readlink()).startswith(str(folder)):
                found.append((entry / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return found


def script(folder: Path, lines: str) -> str:
    """Make an executable that answers ``--version`` as a server does and otherwise does this; returns its path."""
    path = folder / "fake-server"
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo Redis server v=7.0.15 sha=0; exit; }}\n{lines}\n')
    path.chmod(0o755)
    return str(path)


@every_binary
def test_every_kind_of_complaint_is_found_with_its_line(binary: str) -> None:
    lines = {
        "bad directive": ("an-unknown-directive x", "rective"),
        "bad value": ("databases 0", "argument must be between 1 and"),
        "bad quotes": ('pidfile "a', "Unbalanced quotes"),
        "bad command": ("rename-command NOSUCH X", "No such command in rename-command"),
        "bad rule": ("user alice on >Blue-Moon_77 Red-Sun_88 +get", "Syntax error"),
    }
    texts = {name: "\n".join([*HEAD, "# a comment", line, "maxmemory 1mb"]) for name, (line, _) in lines.items()}
    texts |= {
        "good": "\n".join([*HEAD, "appendonly yes", "replicaof 10.9.9.8 6379"]),
        "good quiet": "\n".join([*HEAD, "loglevel warning", "unixsocketperm 000", "syslog-enabled no"]),
        "no such file": "\n".join([*HEAD, "aclfile /not/there/users.acl"]),
        "no such module": "\n".join([*HEAD, "loadmodule /not/there.so"]),
        "no such rule": "\n".join([*HEAD, "user alice on >Blue-Moon_77 +no-such-command"]),
        "two": "\n".join(["databases 0", *HEAD, "maxclients 0"]),
    }
    asked = tuple(ConfigText(name, binary, kinds.SERVER, text=text) for name, text in texts.items())

    found = {each.name: each.complaints for each in run_tests(ConfigTest(asked, 30)).results}

    assert found.pop("good") == found.pop("good quiet") == ()
    assert [each.line for each in found.pop("two")] == [1, 8]
    assert "/not/there/users.acl" in found["no such file"][0].said
    assert "/not/there.so" in found["no such module"][0].said
    assert "+no-such-command" in found["no such rule"][0].said
    for name, (_, words) in lines.items():
        assert [each.line for each in found[name]] == [8], found[name]
        assert words in found[name][0].said
    assert not [word for word in ("Sand-Castle", "Blue-Moon", "Red-Sun") if word in str(found)]


@every_binary
def test_a_sentinels_own_lines_are_tried(binary: str) -> None:
    bad = [*SENTINEL, "sentinel notification-script orders /not/there", "sentinel parallel-syncs nobody 1"]

    assert run_test(binary, "\n".join(SENTINEL), kinds.SENTINEL).complaints == ()
    found = run_test(binary, "\n".join(bad), kinds.SENTINEL).complaints

    assert [each.line for each in found] == [len(bad) - 1, len(bad)]
    assert "script seems non existing" in found[0].said
    assert "No such master" in found[1].said


def test_nobody_who_is_named_hears_of_it(tmp_path: Path) -> None:
    marker, notified = tmp_path / "notified", tmp_path / "notify"
    notified.write_text(f"#!/bin/sh\ntouch {marker}\n")
    notified.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as master:
        port = master.getsockname()[1]
        sentinel = [line.replace("10.9.9.8 6379", f"127.0.0.1 {port}") for line in SENTINEL]
        sentinel += [f"sentinel notification-script orders {notified}", "sentinel down-after-milliseconds orders 1"]
        replica = [*HEAD, f"replicaof 127.0.0.1 {port}", "repl-timeout 1"]

        for kind, text in ((kinds.SENTINEL, sentinel), (kinds.SERVER, replica)):
            # Each look ends as soon as it can: many of them, so that one of these would have had the time.
            for _ in range(5):
                assert run_test(server_binary(), "\n".join(text), kind).complaints == ()

        master.settimeout(0.2)
        with pytest.raises(TimeoutError):
            master.accept()
    assert not marker.exists()


def test_what_runs_already_is_left_alone(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    data = tmp_path / "data"
    data.mkdir()
    places = [f"dir {data}", f"logfile {data}/log", f"pidfile {data}/pid", f"unixsocket {tmp_path}/socket"]
    lines = [f"port {port}", "bind 127.0.0.1", *places, "daemonize no", "appendonly yes", "save 60 1"]
    (tmp_path / "conf").write_text("\n".join(lines))
    running = subprocess.Popen([server_binary(), str(tmp_path / "conf")], stdout=subprocess.DEVNULL, cwd=tmp_path)
    try:
        client = redis.Redis(port=port)
        eventually(lambda: answers(client), "it answers")
        client.set("key", "value")
        client.save()
        before = seen(client, data)

        assert run_test(server_binary(), "\n".join(lines)).complaints == ()

        assert seen(client, data) == before
        assert (tmp_path / "socket").exists()
    finally:
        running.kill()
        running.wait(timeout=60)


def answers(client: redis.Redis) -> bool:
    """Say whether a server is ready."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def seen(client: redis.Redis, data: Path) -> object:
    """Return what a trial could change: who connected, keys, and every file but the log's own time."""
    facts: dict[str, Any] = client.info()
    files = {str(path): path.stat().st_mtime_ns for path in data.rglob("*")}
    return facts["process_id"], facts["total_connections_received"], facts["db0"], files


def test_a_binary_that_hangs_dies_or_is_none_is_said_and_gone(tmp_path: Path) -> None:
    hangs = run_test(script(tmp_path, "sleep 600 & sleep 600"), "port 1", seconds=0.5)
    dies = run_test(script(tmp_path, "kill -9 $$"), "port 1")
    other = run_test(script(tmp_path, "echo what is that; exit 3"), "port 1")
    nobody = run_test("/not/there/redis-server", "port 1")

    assert [each.said for each in hangs.complaints] == ["it does not answer within 0.5 s"]
    assert [each.said for each in dies.complaints] == ["it was ended by SIGKILL"]
    assert [each.said for each in other.complaints] == ["it ended with exit code 3 (what is that)"]
    assert nobody.complaints == ()
    assert nobody.untried == "there is no /not/there/redis-server"


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("kill -9 $$", "it was ended by SIGKILL"),
        ("sleep 600", "it does not answer within 2 s"),
        ("exit 0", "it is no"),
        ('echo "7:M 1 Jan 2026 00:00:00.000 # It is $(grep ^masterauth "$1")"; exit 1', "It is masterauth ********"),
    ],
)
def test_a_server_that_reads_its_file_and_does_not_start_is_no_success(tmp_path: Path, does: str, said: str) -> None:
    second_look = f'if grep -q "^unixsocket socket" "$1"; then {does}; fi; exec {server_binary()} "$@"'

    found = run_test(script(tmp_path, second_look), "\n".join(HEAD), seconds=2)

    assert [each.said[: len(said)] for each in found.complaints] == [said]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_it_is_interrupted(tmp_path: Path, scratch: Path, number: signal.Signals) -> None:
    # What a server starts itself ends with it only where somebody is left to end it.
    sleeping = "exec sleep 600" if number == signal.SIGKILL else "sleep 600 & wait"
    hangs = script(tmp_path, f"touch begun; {sleeping}")
    code = (
        "import sys; from redis_fleet.agent.inspect.config_test import run_test; "
        "run_test(sys.argv[1], 'port 1', seconds=60)"
    )
    trying = subprocess.Popen(
        [sys.executable, "-c", code, hangs], env={**os.environ, "TMPDIR": str(scratch)}, stderr=subprocess.DEVNULL
    )
    eventually(lambda: bool(list(scratch.glob("*/begun"))), "the binary is under way")

    trying.send_signal(number)
    trying.wait(timeout=60)

    eventually(lambda: processes_below(scratch) == [], "no process is left")
    if number == signal.SIGKILL:
        assert len(list(scratch.iterdir())) == 1
        # Nobody was left to tidy up, so the next one does.
        run_test("/not/there/redis-server", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as somebody else")
def test_root_runs_it_as_the_services_user(tmp_path: Path, scratch: Path) -> None:
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.owner() == "root" and folder.is_relative_to(tempfile.gettempdir()[:4]):
            folder.chmod(folder.stat().st_mode | 0o011)
    scratch.chmod(0o755)

    found = run_test(script(tmp_path, "id -un; exit 3"), "port 1", user="nobody")
    unknown = run_test(server_binary(), "port 1", user="no-such-user")

    assert [each.said for each in found.complaints] == ["it ended with exit code 3 (nobody)"]
    assert unknown.untried == "there is no user no-such-user"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as somebody else")
def test_a_sentinel_may_write_the_file_that_it_is_tried_with(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)

        found = run_test(server_binary(), "\n".join(SENTINEL), kinds.SENTINEL, "nobody")

    assert found.version
    assert found.complaints == ()


def test_several_run_side_by_side_but_not_all_at_once(tmp_path: Path) -> None:
    running = tmp_path / "running"
    running.mkdir()
    counts = tmp_path / "counts"
    lines = f"touch {running}/$$; ls {running} | wc -l >>{counts}; sleep 0.2; rm {running}/$$; exit 3"
    fake = script(tmp_path, lines)
    asked = tuple(ConfigText(str(number), fake, kinds.SERVER, text="") for number in range(12))

    answers = run_tests(ConfigTest(asked)).results

    assert [each.name for each in answers] == [str(number) for number in range(12)]
    assert 1 < max(map(int, counts.read_text().split())) <= max(2, len(os.sched_getaffinity(0)))
