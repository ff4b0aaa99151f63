"""Runs against three container hosts: a ping, a deployment, a bare installation of the packages."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.journal import Journal
from tests.bench.report import Trips
from tests.harness.hosts import description, hosts
from tests.harness.hosts.engine import ROOT
from tests.harness.hosts.hosts import Host

SAMPLE = ROOT / "inventory" / "sentinel.redis.yml"
MACHINES = ["red1", "red2", "red3"]
PACKAGES = "redis-server redis-sentinel"
_SET = "bench"
_SECONDS = 300
_INSTALL = f"apt-get update && apt-get install -y --no-install-recommends {PACKAGES}"


class BenchError(Exception):
    """A command that is measured failed; the message carries the end of what it printed."""


@dataclass(frozen=True)
class Site:
    """Three hosts, fresh at first, and the description of a Redis on them; ``folder`` holds what its runs write."""

    folder: Path
    hosts: Mapping[str, Host]

    @property
    def file(self) -> Path:
        """The description."""
        return self.folder / SAMPLE.name

    def ping(self) -> float:
        """Ping all machines; returns the seconds it took."""
        return self._timed(_ansible("adhoc", "-i", str(self.file), "all", "-m", "ping"))

    def playbook(self, name: str) -> float:
        """Run a playbook plainly; returns the seconds it took."""
        return self._timed(_playbook(self.file, name))

    def redis_fleet(self, verb: str) -> float:
        """Run one of redis-fleet's commands; returns the seconds it took."""
        return self._timed([sys.executable, "-m", "redis_fleet", verb, str(self.file)])

    def journey(self, name: str, playbook: str) -> Trips:
        """Run a playbook and write down what it does to the machines."""
        journal = Journal(self.folder / f"journal-{playbook}-{time.monotonic_ns()}")
        environment = journal.prepare()
        began = time.time()
        self._timed(_playbook(self.file, playbook), environment)
        return journal.trips(name, began, time.time(), self.hosts)

    def install(self) -> float:
        """Install only the packages on all machines, side by side over SSH; returns the seconds until all are done."""
        begin = time.monotonic()
        running = [
            subprocess.Popen(
                [*host.ssh_command, "-o", "BatchMode=yes", "--", _as_root(_INSTALL)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for host in self.hosts.values()
        ]
        said = [process.communicate(timeout=_SECONDS)[0] for process in running]
        took = time.monotonic() - begin
        for process, text in zip(running, said, strict=True):
            if process.returncode:
                raise BenchError(f"apt-get: {text[-2000:]}")
        return took

    def _timed(self, command: list[str], environment: Mapping[str, str] | None = None) -> float:
        """Run a command to its end; connections are shared between the runs of one site, never with another one."""
        own = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "cp"),
            "ANSIBLE_STDOUT_CALLBACK": "default",
            **(environment or {}),
        }
        begin = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        took = time.monotonic() - begin
        if done.returncode:
            raise BenchError(f"{' '.join(command)}: {done.stdout[-4000:]}")
        return took


@contextmanager
def fresh(release: str) -> Iterator[Site]:
    """Start three hosts that have never seen a Redis; they go away at the end."""
    with tempfile.TemporaryDirectory(prefix="rf-bench-") as folder:
        try:
            running = hosts.up(_SET, MACHINES, release)
            site = Site(Path(folder), running)
            description.describe(SAMPLE, site.file, running)
            yield site
        finally:
            hosts.down(_SET)


def _ansible(program: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "ansible", program, *words]


def _playbook(file: Path, name: str) -> list[str]:
    return _ansible("playbook", "-i", str(file), str(ROOT / "playbooks" / f"{name}.yml"))


def _as_root(command: str) -> str:
    return f"sudo env DEBIAN_FRONTEND=noninteractive sh -c '{command}'"
