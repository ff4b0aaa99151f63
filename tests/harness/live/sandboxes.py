"""A sandbox of a copied sample in folders of its own, driven by the real command line; what it leaves can be seen."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from redis_fleet.agent.replication.agreement import agreed_master
from redis_fleet.agent.replication.view import view
from redis_fleet.description.load import load
from redis_fleet.loading import load_fleet
from redis_fleet.loopback import PORTS
from redis_fleet.model import Fleet, Process
from redis_fleet.sandbox import state
from redis_fleet.topology.places import places
from redis_fleet.topology.service_access import target
from tests.harness.done import Done
from tests.harness.live.processes import eventually

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ("standalone", "replication", "sentinel", "shared-machines")
COMMAND = str(Path(sys.executable).with_name("redis-fleet"))
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
# Less makes a Sentinel now and then fail over twice, see processes.DOWN_AFTER_MS.
DOWN_AFTER = "down-after-milliseconds: 2000"
_HAPPENS_WITHIN = 300.0
_ONE_AT_A_TIME = threading.RLock()
"""The environment is the whole process's."""


@dataclass
class Box:
    """A copy of a description, and the folders that its sandbox, temporary files and Ansible use: all below one."""

    folder: Path
    sample: str
    changes: Mapping[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    _placed: tuple[str, Fleet] | None = None

    def __post_init__(self) -> None:
        """Copy the sample with its changes (text by text); each must be in it."""
        text = (ROOT / "inventory" / f"{self.sample}.redis.yml").read_text(encoding="utf-8")
        for old, new in {"down-after-milliseconds: 5000": DOWN_AFTER, **self.changes}.items():
            assert old in text or old not in self.changes
            text = text.replace(old, new)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text, encoding="utf-8")
        own = {"XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp", "ANSIBLE_HOME": "ansible"}
        for name, folder in own.items():
            (self.folder / folder).mkdir(exist_ok=True)
            self.environment.setdefault(name, str(self.folder / folder))

    @property
    def file(self) -> Path:
        """The description."""
        return self.folder / f"{self.sample}.redis.yml"

    @property
    def root(self) -> Path:
        """The sandbox's folder, there or not."""
        with _ONE_AT_A_TIME, patch.dict(os.environ, self.environment):
            return state.root_of(str(self.file))

    def variables(self, **more: str) -> dict[str, str]:
        """Return the environment of its commands."""
        left = ("ANSIBLE_", "REDIS_FLEET_")
        plain = {name: value for name, value in os.environ.items() if name == PORTS or not name.startswith(left)}
        return {**plain, **self.environment, **more}

    def run(self, *words: object, environment: Mapping[str, str] | None = None) -> Done:
        """Run a command to its end, without a terminal; its output is no terminal either."""
        done = subprocess.run(
            [str(word) for word in words],
            env=self.variables(**(environment or {})),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_HAPPENS_WITHIN,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def fleet_command(self, *words: object, environment: Mapping[str, str] | None = None) -> Done:
        """Run ``redis-fleet WORDS FILE``."""
        return self.run(COMMAND, *words, self.file, environment=environment)

    def on(self, *words: object, environment: Mapping[str, str] | None = None) -> Done:
        """Run ``redis-fleet WORDS --sandbox FILE``."""
        return self.fleet_command(*words, "--sandbox", environment=environment)

    def play(self, name: str, *words: object, environment: Mapping[str, str] | None = None) -> Done:
        """Run one of the playbooks with plain ansible-playbook, in the sandbox."""
        more = {"REDIS_FLEET_SANDBOX": str(self.root), **(environment or {})}
        return self.run(PLAYBOOK, "-i", self.file, f"playbooks/{name}.yml", *words, environment=more)

    def up(self, environment: Mapping[str, str] | None = None) -> Done:
        """Bring the sandbox up; it must come up."""
        done = self.fleet_command("sandbox", "up", environment=environment)
        assert done.code == 0, done.both
        return done

    def prepare(self, server: str) -> None:
        """Make a sandbox in which nothing is deployed yet; its processes would run this binary."""
        ports = places(load(str(self.file)).deployment)
        state.create(self.root, ports, server)

    def down(self) -> None:
        """Take it down whatever state it is in, also what nobody else ends any more."""
        self.fleet_command("sandbox", "down")
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def processes(self) -> dict[int, str]:
        """Return every process that was started for this folder, also those that left their session: pid and argv."""
        return {pid: argv for pid, argv in _all_processes(str(self.folder)) if pid != os.getpid()}

    def leftovers(self) -> list[str]:
        """Return every file and folder of the sandbox and of temporary files that is there."""
        run, tmp = (Path(self.environment[name]) for name in ("XDG_RUNTIME_DIR", "TMPDIR"))
        return sorted(str(path.relative_to(self.folder)) for each in (run, tmp) for path in each.rglob("*"))

    @property
    def fleet(self) -> Fleet:
        """The fleet as its file and its environment describe it now, placed in this sandbox."""
        with _ONE_AT_A_TIME:
            secrets = sorted((self.folder / ".secrets").glob("*"))
            parts = [path.read_text(encoding="utf-8") for path in (self.root / "sandbox.json", self.file, *secrets)]
            note = "".join((*parts, *map(str, self.environment.items())))
            if self._placed is None or self._placed[0] != note:
                layout, server = state.sandbox_layout(str(self.root))
                with patch.dict(os.environ, self.environment):
                    self._placed = (note, load_fleet(str(self.file), layout, server))
            return self._placed[1]

    def process(self, name: str) -> Process:
        """Return a process by id."""
        return next(process for process in self.fleet.processes if process.id == name)

    def server(self, name: str) -> redis.Redis:
        """Return an independent client of a process."""
        return client_of(self.process(name))

    def pids(self) -> dict[str, int]:
        """Return the pid of each process that answers."""
        found = {}
        for process in self.fleet.processes:
            try:
                found[process.id] = int(info(client_of(process))["process_id"])
            except redis.RedisError:
                continue
        return found

    def kill(self, name: str) -> None:
        """SIGKILL a process and wait until nothing listens any more."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: name not in self.pids(), f"{name} is gone")

    def master(self, service: str) -> str:
        """Return the id of the process that a majority of the Sentinels names; empty when there is none."""
        fleet = self.fleet
        named = agreed_master(view(target(fleet, fleet.service(service))))
        return next((each.id for each in fleet.service(service).processes if str(each.announced) == named), "")

    def settled(self, service: str) -> bool:
        """Whether the Sentinels name one master, which says so itself, and end no failover any more."""
        fleet = self.fleet
        seen = view(target(fleet, fleet.service(service)))
        masters = {each.id for each in seen.members if each.role == "master"}
        quiet = all({"failover_in_progress", "o_down", "s_down"}.isdisjoint(one.flags) for one in seen.sentinels)
        linked = all(each.link_up for each in seen.members if each.role == "replica")
        return quiet and linked and masters == {self.master(service)}


def info(client: redis.Redis) -> dict[str, Any]:
    """Return INFO of a server or Sentinel, everything."""
    with client:
        return dict(client.info())


def client_of(process: Process) -> redis.Redis:
    """Return an independent client of a placed process; it waits for nothing long and tries nothing twice."""
    endpoint, login = process.endpoint, process.login
    secret = login.password if login else process.password
    user, password = login.user if login else None, secret.reveal() if secret else None
    if endpoint.on_socket:
        return redis.Redis(
            unix_socket_path=endpoint.address, username=user, password=password, decode_responses=True,
            socket_timeout=3, retry=Retry(NoBackoff(), 0),
        )  # fmt: skip
    own = process.tls
    # Every process has a certificate that is good for a client, too.
    files = {"ssl_ca_certs": own.authorities, "ssl_certfile": own.certificate, "ssl_keyfile": own.key} if own else {}
    tls: dict[str, Any] = {"ssl": True, **files} if own else {}
    return redis.Redis(
        endpoint.address, endpoint.port, username=user, password=password, decode_responses=True,
        socket_timeout=3, socket_connect_timeout=3, retry=Retry(NoBackoff(), 0), **tls,
    )  # fmt: skip


def watched(process: Process, monitor: str) -> dict[str, Any]:
    """Return what a Sentinel says of a master that it watches."""
    with client_of(process) as client:
        return dict(client.sentinel_master(monitor))


def config(process: Process) -> dict[str, str]:
    """Return CONFIG GET * of a server."""
    with client_of(process) as client:
        return dict(client.config_get("*"))


def _all_processes(mark: str) -> Iterator[tuple[int, str]]:
    """Yield processes whose working folder, environment or arguments lead to a folder; zombies have none of these."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            argv = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            belongs = str((entry / "cwd").readlink()).startswith(mark)
            belongs = belongs or mark in argv or mark.encode() in (entry / "environ").read_bytes()
        except OSError:
            continue
        if belongs:
            yield int(entry.name), argv


@contextmanager
def box(folder: Path, sample: str, changes: Mapping[str, str] | None = None, *, up: bool = True) -> Iterator[Box]:
    """Give the sandbox of a sample and take it away again with all that it left."""
    made = Box(folder, sample, changes or {})
    try:
        if up:
            made.up()
        yield made
    finally:
        made.down()
        shutil.rmtree(folder, ignore_errors=True)


class Running:
    """A command that runs in a process group of its own, as at a terminal; its output is read as it comes."""

    def __init__(self, made: Box, *words: object, environment: Mapping[str, str] | None = None) -> None:
        """Start it."""
        variables = made.variables(PYTHONUNBUFFERED="1", **(environment or {}))
        self._said: list[str] = []
        self.process = subprocess.Popen(
            [str(word) for word in words], env=variables, cwd=ROOT, start_new_session=True, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    @property
    def said(self) -> str:
        """Everything that was read so far."""
        return "".join(self._said)

    def read_until(self, pattern: str, times: int = 1) -> None:
        """Read until a pattern has come so many times; fails when the command ends before."""
        assert self.process.stdout
        for line in self.process.stdout:
            self._said.append(line)
            times -= bool(re.search(pattern, line))
            if not times:
                return
        raise AssertionError(f"it ended without {pattern!r}: {self.said}")

    def interrupt(self) -> None:
        """Press Ctrl-C: SIGINT for the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def terminate(self) -> None:
        """End the command line itself, as a supervisor does: SIGTERM for that one process."""
        self.process.terminate()

    def end(self) -> int:
        """Read the rest and return the exit code."""
        rest, _ = self.process.communicate(timeout=_HAPPENS_WITHIN)
        self._said.append(rest)
        return self.process.returncode
