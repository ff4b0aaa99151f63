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

_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")
NAME = os.environ.get("REDIS_FLEET_HOSTS", f"systemd-{_RELEASE}")
COMMAND = str(Path(sys.executable).with_name("redis-fleet"))
MACHINES = ["red1", "red2", "red3"]
DESCRIPTION = """
plugin: redis_fleet
name: needs
machines:
  red1: {address: 10.0.0.11}
  red2: {address: 10.0.0.12}
  red3: {address: 10.0.0.13}
services:
  orders:
    master: red1
    replicas: [red2, red3]
    port: 700
    password: correct-horse-battery-staple
    config:
      maxmemory: 64mb
      appendonly: yes
      dir: "/srv/data/{{ name }}"
      logfile: "/srv/log/{{ name }}.log"
      unixsocket: "/run/redis-{{ name }}/redis.sock"
      unixsocketperm: 770
      server_cpulist: 0
      bio_cpulist: 0
      aof_rewrite_cpulist: 0
      bgsave_cpulist: 0
      oom-score-adj: yes
      oom-score-adj-values: 0 200 800
      syslog-enabled: yes
sentinel:
  machines: [red1, red2, red3]
  port: 701
  password: staple-battery-horse-correct
"""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Deploy it to three machines."""
    file = tmp_path_factory.mktemp("systemd") / "needs.redis.yml"
    file.write_text(DESCRIPTION, encoding="utf-8")
    try:
        describe(file, file, hosts.up(NAME, MACHINES, _RELEASE))
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
    fleet = load_fleet(str(deployed))
    machines = hosts.load(NAME)
    for process in _servers(fleet):
        with client_of(process) as client:
            pid = client.info("server")["process_id"]
        asked = f"grep Cpus_allowed_list /proc/{pid}/status; sudo stat -c %F /run/redis-{process.name}/redis.sock"
        told = hosts.ssh(machines[process.machine], asked).stdout.split("\n")
        assert told[0].split() == ["Cpus_allowed_list:", "0"]
        assert told[1] == "socket"


def test_it_restarts_one_after_the_other(deployed: Path) -> None:
    text = deployed.read_text(encoding="utf-8")
    deployed.write_text(text.replace("server_cpulist: 0", "server_cpulist: 0-1"), encoding="utf-8")
    assert _run("deploy", "--yes", deployed) == ""
    assert _run("plan", deployed) == ""


def test_it_fails_over(deployed: Path) -> None:
    assert _run("verify", "--drill", "failover", "--yes", deployed) == ""
    assert _run("verify", deployed) == ""
    assert _run("plan", deployed) == ""
