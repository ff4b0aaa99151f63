"""Directives that need something of their unit, all at once on three machines with systemd: it starts, saves, rewrites,
restarts and fails over."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Process
from tests.harness.hosts import hosts
from tests.harness.hosts.description import describe
from tests.harness.hosts.engine import ROOT
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import client_of
from tests.systemd.placed import place

_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")
NAME = os.environ.get("REDIS_FLEET_HOSTS", f"systemd-{_RELEASE}")
COMMAND = str(Path(sys.executable).with_name("redis-fleet"))
MACHINES = ["red1", "red2", "red3"]
DESCRIPTION = Path(__file__).with_name("needs.redis.yml")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Deploy it to three machines."""
    file = tmp_path_factory.mktemp("systemd") / DESCRIPTION.name
    try:
        machines = hosts.up(NAME, MACHINES, _RELEASE)
        place(machines, file.parent)
        describe(DESCRIPTION, file, machines)
        assert _run("deploy", "--yes", file) == "", "it is deployed"
        yield file
    finally:
        hosts.down(NAME)


def _run(*words: object) -> str:
    """Run a command of redis-fleet; returns all that it said where it did not succeed, nothing where it did."""
    done = subprocess.run(
        [COMMAND, *map(str, words)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.stdout + done.stderr if done.returncode else ""


def _servers(fleet: Fleet) -> list[Process]:
    return [process for service in fleet.services for process in service.processes]


def _saved(client: redis.Redis) -> bool:
    seen = client.info("persistence")
    busy = seen["rdb_bgsave_in_progress"] or seen["aof_rewrite_in_progress"]
    return not busy and seen["rdb_last_bgsave_status"] == seen["aof_last_bgrewrite_status"] == "ok"


def test_it_runs_as_described(deployed: Path) -> None:
    assert _run("verify", deployed) == ""
    assert _run("status", deployed) == ""
    assert _run("plan", deployed) == ""


def test_every_server_saves_rewrites_and_writes_its_file(deployed: Path) -> None:
    for process in _servers(load_fleet(str(deployed))):
        with client_of(process) as client:
            before = client.lastsave()
            client.bgsave()
            eventually(lambda: _saved(client), f"{process.id} has saved")
            client.bgrewriteaof()
            eventually(lambda: _saved(client), f"{process.id} has rewritten its append-only file")
            assert client.lastsave() >= before
            assert client.config_rewrite()


def test_every_server_has_what_it_asked_for(deployed: Path) -> None:
    for process in _servers(load_fleet(str(deployed))):
        with client_of(process) as client:
            pid = client.info("server")["process_id"]
            alone, replica = process.service == "sessions", process.follows is not None
            assert client.execute_command("HELLO.ANSWER") == (7 if alone else 42), "its module was executed"
            assert client.config_get("maxclients") == {"maxclients": "10000" if alone else "12000"}
        assert _on(process, f"grep Cpus_allowed_list /proc/{pid}/status").split() == ["Cpus_allowed_list:", "0"]
        assert _on(process, f"cat /proc/{pid}/oom_score_adj") == ("0" if alone else "200" if replica else "100")


def test_the_socket_is_reached_by_whom_its_mode_lets_in(deployed: Path) -> None:
    ping = (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('{}'); s.sendall(b'PING\\r\\n'); print(s.recv(9))"
    )
    for process in load_fleet(str(deployed)).processes:
        socket = process.setting("unixsocket")
        assert socket is not None
        own = ping.format(socket.word)
        assert _on(process, f'sudo -u redis python3 -c "{own}"').startswith("b'-NOAUTH")
        others = _on(process, f'python3 -c "{own}" 2>&1')
        assert ("NOAUTH" in others) == (process.service == "orders"), others


def test_it_restarts_one_after_the_other(deployed: Path) -> None:
    text = deployed.read_text(encoding="utf-8")
    deployed.write_text(text.replace("server_cpulist: 0", "server_cpulist: 0-1"), encoding="utf-8")
    assert _run("deploy", "--yes", deployed) == ""
    assert _run("plan", deployed) == ""


def test_it_fails_over(deployed: Path) -> None:
    assert _run("verify", "--drill", "failover", "--service", "orders", "--yes", deployed) == ""
    assert _run("verify", deployed) == ""
    assert _run("plan", deployed) == ""


def test_scripts_of_sentinel_were_run_with_programs_and_network(deployed: Path) -> None:
    for sentinel in load_fleet(str(deployed)).sentinels:
        told = _eventually_in("notified", "+switch-master", sentinel)
        assert told.startswith("told of ") and told.endswith(" redis"), "it started programs of the system"
        moved = _eventually_in("moved", "-NOAUTH", sentinel)
        assert moved.startswith("orders "), "it asked the new master"


def _eventually_in(name: str, proof: str, sentinel: Process) -> str:
    """Wait until a script of a Sentinel has written something to its folder; return all that it wrote."""
    command = f"sudo cat {sentinel.paths.data}/{name}"
    eventually(lambda: proof in _on(sentinel, command), f"{proof} is in what a script of {sentinel.id} wrote")
    return _on(sentinel, command)


def _on(process: Process, command: str) -> str:
    return hosts.ssh(hosts.load(NAME)[process.machine], command).stdout.strip()
