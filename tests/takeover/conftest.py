"""Three machines that somebody set up with apt and sed, and that have failed over once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from redis_fleet.agent.protocol.resp import Connection
from redis_fleet.agent.replication.view import CONNECTION_ERRORS
from tests.harness.hosts import hosts
from tests.harness.hosts.engine import find
from tests.harness.hosts.hosts import Host
from tests.harness.hosts.waiting import eventually

_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")
NAME = os.environ.get("REDIS_FLEET_HOSTS", f"takeover-{_RELEASE}")
PASSWORD, WATCHWORD = "Hand-Made_7-as-it-was", "Watch-Tower_8-as-it-was"
_SCRIPT = Path(__file__).with_name("by-hand.sh")


@dataclass(frozen=True)
class ByHand:
    """The hosts by name, and how they are asked without redis-fleet."""

    hosts: dict[str, Host]

    def run(self, machine: str, *words: str, stdin: str | None = None) -> str:
        """Run a command as root in a host."""
        options = ["--interactive"] if stdin is not None else []
        return find().run("exec", *options, self.hosts[machine].container, *words, stdin=stdin, timeout=300)

    def server(self, machine: str, *words: str) -> object:
        """Send a server a command."""
        with Connection(self.hosts[machine].address, 6379, PASSWORD) as connection:
            return connection.call(*words)

    def sentinel(self, machine: str, *words: str) -> object:
        """Send a Sentinel a command."""
        with Connection(self.hosts[machine].address, 26379, WATCHWORD) as connection:
            return connection.call(*words)

    def role(self, machine: str) -> str:
        """Return ``master`` or ``slave``, nothing when it does not answer."""
        try:
            return str(self.server(machine, "ROLE")[0])  # type: ignore[index]
        except CONNECTION_ERRORS:
            return ""

    def knows_all(self, machine: str) -> bool:
        """Whether a Sentinel knows two replicas and two others."""
        try:
            replicas = self.sentinel(machine, "SENTINEL", "REPLICAS", "mymaster")
            fellows = self.sentinel(machine, "SENTINEL", "SENTINELS", "mymaster")
        except CONNECTION_ERRORS:
            return False
        return len(replicas) == len(fellows) == 2  # type: ignore[arg-type]

    def pids(self) -> dict[str, str]:
        """Return what changes when a process is started again."""
        return {
            f"{unit}@{machine}": self.run(machine, "systemctl", "show", "--property=MainPID,NRestarts", unit)
            for machine in self.hosts
            for unit in ("redis-server", "redis-sentinel")
        }


@pytest.fixture(scope="session")
def by_hand() -> Iterator[ByHand]:
    """Set up, with red1 as the master, and let it fail over once."""
    try:
        made = ByHand(hosts.up(NAME, ["red1", "red2", "red3"], _RELEASE))
        _set_up(made)
        _fail_over(made)
        yield made
    finally:
        hosts.down(NAME)


def _set_up(made: ByHand) -> None:
    script, master = _SCRIPT.read_text(encoding="utf-8"), made.hosts["red1"].address

    def one(machine: str) -> None:
        made.run(machine, "sh", "-c", "cat > /root/by-hand.sh", stdin=script)
        own = made.hosts[machine].address
        made.run(machine, "sh", "/root/by-hand.sh", master, own, stdin=f"{PASSWORD}\n{WATCHWORD}\n")

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, made.hosts))
    _all(made, made.knows_all, "every Sentinel knows all replicas and the other Sentinels")


def _fail_over(made: ByHand) -> None:
    made.server("red1", "SET", "canary", "sings")
    assert made.server("red1", "WAIT", "2", "5000") == 2
    made.run("red1", "systemctl", "kill", "--signal=STOP", "redis-server")
    others = ("red2", "red3")
    eventually(lambda: "master" in [made.role(each) for each in others], "a replica is promoted", 60)
    made.run("red1", "systemctl", "kill", "--signal=CONT", "redis-server")
    eventually(lambda: made.role("red1") == "slave", "the old master is a replica", 60)
    _all(made, made.knows_all, "every Sentinel knows all again")


def _all(made: ByHand, holds: Callable[[str], bool], what: str) -> None:
    for machine in made.hosts:
        eventually(lambda machine=machine: holds(machine), f"{machine}: {what}", 60)  # type: ignore[misc]
