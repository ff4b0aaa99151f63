"""The pre-flight against this very machine: by the command and by the playbook, with one machine that is not there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.disks import file_facts, folder_facts
from redis_fleet.agent.host.listeners import listeners
from redis_fleet.agent.host.reach import reach
from redis_fleet.loopback import free_ports
from tests.harness.live.sandboxes import COMMAND, PLAYBOOK, ROOT

_DESCRIPTION = """
plugin: redis_fleet
name: probe
machines:
  here: {{address: 127.0.0.1, ansible_connection: local, ansible_become: no, ansible_python_interpreter: "{python}"}}
  gone: {{address: 127.0.0.2, ansible_host: 127.0.0.1, ansible_port: {closed}, ansible_become: no}}
services:
  taken:
    master: here:{taken}
    replicas: [gone:{taken}]
    password: "{{{{ lookup('env', 'PROBE_PASSWORD') }}}}"
    silence: {{E55: "the machine has to find it too"}}
    config:
      maxmemory: 64mb
      appendonly: yes
      dir: /dev/shm/{name}
      tls-cert-file: /srv/{name}/no.crt
"""


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A port that this process has."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


@pytest.fixture
def description(listening: socket.socket, tmp_path: Path) -> Path:
    """A service on this machine whose port is taken, and a machine where no ssh answers."""
    file = tmp_path / "probe.redis.yml"
    values = {"python": sys.executable, "closed": free_ports(1)[0], "taken": listening.getsockname()[1]}
    file.write_text(_DESCRIPTION.format(**values, name=tmp_path.name), encoding="utf-8")
    return file


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever comes of it."""
    environment = {**os.environ, "PROBE_PASSWORD": "never-shown-anywhere"}
    command = [str(word) for word in words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def states(rows: list[dict[str, str]]) -> dict[tuple[str, str], str]:
    """Return the state of each row, by machine and subject."""
    return {(row["machine"], row["subject"]): row["state"] for row in rows}


def test_faults_of_this_machine_are_found_and_one_that_is_gone_hides_nothing(
    description: Path, listening: socket.socket
) -> None:
    port = listening.getsockname()[1]
    done = run(COMMAND, "check", "--hosts", "--json", "--no-binary", description)
    assert done.returncode == 1, done.stderr
    look: dict[str, Any] = json.loads(done.stdout)["hosts"][0]
    assert look["ok"] is False
    rows = states(look["rows"])
    name = f"taken-{port}"
    assert rows["gone", "reached"] == "fail"
    assert rows["here", f"port of {name}"] == "fail"
    assert rows["here", f"tls-cert-file of {name}"] == "fail"
    assert rows["here", "filesystem"] == "fail"
    assert rows["here", "python"] == "pass"
    assert rows["here", "address"] == "pass"
    assert rows["here", "clock"] == "pass"
    assert rows["here", "root"] == ("fail" if os.geteuid() else "pass")
    holder = next(row for row in look["rows"] if row["subject"] == f"port of {name}")
    assert f"(pid {os.getpid()})" in holder["seen"]
    assert sum(look["counts"].values()) == len(look["rows"])
    assert "never-shown-anywhere" not in done.stdout + done.stderr


def test_the_playbook_says_the_same_as_the_command(description: Path) -> None:
    command = run(COMMAND, "check", "--hosts", "--no-binary", description)
    playbook = run(PLAYBOOK, "-i", description, "playbooks/preflight.yml")
    assert command.returncode == 1
    assert playbook.returncode != 0
    for done in (command, playbook):
        assert "  failed  reached" in done.stdout
        assert "  failed  port of taken-" in done.stdout
        assert "[E32]" in done.stdout


def test_no_machine_at_all_is_a_table_too(description: Path) -> None:
    description.write_text(description.read_text().replace("ansible_connection: local", "ansible_port: 1"))
    done = run(COMMAND, "check", "--hosts", "--json", "--no-binary", description)
    assert done.returncode == 1
    rows = json.loads(done.stdout)["hosts"][0]["rows"]
    assert states(rows) == {("here", "reached"): "fail", ("gone", "reached"): "fail"}
    assert all("-k" in row["fix"] for row in rows)


def test_a_file_with_an_error_is_not_taken_to_the_machines(description: Path) -> None:
    description.write_text(description.read_text().replace("appendonly: yes", "appendonly: perhaps"))
    done = run(COMMAND, "check", "--hosts", "--json", "--no-binary", description)
    assert done.returncode == 2
    assert json.loads(done.stdout)["hosts"] == []


def test_reaches_what_listens_and_nothing_else(listening: socket.socket) -> None:
    port, closed = listening.getsockname()[1], free_ports(1)[0]
    found = reach([Endpoint("127.0.0.1", each) for each in (port, closed)], 2)
    assert [each.state for each in found] == ["open", "refused"]


def test_a_place_that_never_answers_costs_no_more_than_the_bound() -> None:
    """A listener whose queue is full drops what comes, as a firewall does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        place = Endpoint("127.0.0.1", server.getsockname()[1])
        held = [socket.socket() for _ in range(8)]
        for each in held:
            each.setblocking(False)
            each.connect_ex((place.address, place.port))
        begin = time.monotonic()
        found = reach([place] * 4, 0.5)
        took = time.monotonic() - begin
        for each in held:
            each.close()
    assert [each.state for each in found] == ["no answer"] * 4
    assert took < 10


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_finds_who_listens(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family) as server:
        try:
            server.bind((address, 0))
        except OSError:
            pytest.skip("no IPv6 here")
        server.listen()
        port = server.getsockname()[1]
        found = listeners([port], "none")
    assert [(each.address, each.port, each.pid) for each in found] == [(address, port, os.getpid())]
    assert found[0].program
    assert found[0].ours is False


def test_a_folder_to_come_is_judged_by_the_nearest_that_is_there(tmp_path: Path) -> None:
    found = folder_facts(str(tmp_path / "a" / "b"), "nobody")
    assert found.existing == str(tmp_path)
    assert found.by_user is None
    assert found.folder is True
    assert 0 < found.free <= found.size
    (tmp_path / "file").write_text("x")
    assert folder_facts(str(tmp_path / "file" / "data"), "nobody").folder is False


def test_what_a_folder_holds_and_who_may_write_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "dump.rdb").write_bytes(b"x" * 100_000)
    found = folder_facts(str(folder), "nobody")
    assert found.held >= 100_000
    assert found.by_user is False
    folder.chmod(0o777)
    assert folder_facts(str(folder), "nobody").by_user is True
    assert folder_facts(str(folder), "no-such-user").by_user is None


def test_memory_filesystems_are_told_from_disks(tmp_path: Path) -> None:
    if not Path("/dev/shm").is_dir():
        pytest.skip("no /dev/shm here")
    assert folder_facts("/dev/shm/x", "nobody").type == "tmpfs"
    assert folder_facts("/dev/shm/x", "nobody").mount == "/dev/shm"
    assert folder_facts(str(tmp_path), "nobody").type not in ("", "proc")


def test_a_file_behind_a_closed_folder_cannot_be_read(tmp_path: Path) -> None:
    place = tmp_path / "tls" / "redis.key"
    place.parent.mkdir()
    place.write_text("x")
    place.chmod(0o644)
    place.parent.chmod(0o700)
    assert file_facts(str(place), "nobody").readable is False
    assert file_facts(str(tmp_path / "none"), "nobody").there is False
