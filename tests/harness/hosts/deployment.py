"""A deployment on test hosts: its description can be edited and deployed, under writes, and compared with before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from redis_fleet.agent.messages.client import Tally
from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Service
from redis_fleet.operations.local import LocalClient
from redis_fleet.topology.service_access import target
from tests.harness.hosts import hosts
from tests.harness.hosts.description import describe
from tests.harness.hosts.engine import ROOT, find
from tests.harness.hosts.hosts import Host
from tests.harness.hosts.waiting import eventually

COMMAND = str(Path(sys.executable).with_name("redis-fleet"))
_WRITER_SECONDS = 300
_RUN_SECONDS = 240
_SEEN = Path(__file__).with_name("seen.py")


@dataclass(frozen=True)
class Done:
    """A command that ended: exit code, its one JSON object, and all that it printed for people."""

    code: int
    json: Any
    text: str

    @property
    def changed(self) -> int:
        """How many tasks of a deployment changed something."""
        return sum(self.json["changed"].values())

    @property
    def failures(self) -> str:
        """What a refused or failed command said."""
        return "\n".join(self.json.get("failures") or self.json.get("problems") or ())


@dataclass
class Written:
    """What a client that wrote meanwhile can tell; ``tally`` is there when it has ended."""

    tally: Tally | None = None

    @property
    def sum(self) -> Tally:
        """Return the tally of a client that wrote something and could read it back."""
        assert self.tally is not None, "the writer left no tally"
        assert self.tally.acknowledged, f"nothing was written: {self.tally}"
        assert not self.tally.problem, self.tally.problem
        return self.tally


@dataclass
class Deployment:
    """The hosts of a set and the description that is deployed to them."""

    name: str
    file: Path
    hosts: dict[str, Host] = field(init=False)

    def __post_init__(self) -> None:
        """Find the hosts; they must be up."""
        self.hosts = hosts.load(self.name)

    def edit(self, old: str, new: str) -> None:
        """Replace a text that is in the description exactly once."""
        text = self.file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {self.file}"
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, verb: str, *words: str) -> Done:
        """Run a command of redis-fleet for this description, whatever comes of it."""
        return finish(self.start(verb, *words))

    def start(self, verb: str, *words: str) -> subprocess.Popen[str]:
        """Begin with a command, in a session of its own; its one JSON object will be on standard output."""
        return subprocess.Popen(
            [COMMAND, verb, str(self.file), *words, "--json"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def deploy(self) -> Done:
        """Deploy and expect success."""
        done = self.run("deploy", "--yes")
        assert done.code == 0, done.text
        return done

    def settled(self) -> None:
        """Expect a further run to change nothing."""
        again = self.run("deploy")
        assert again.code == 0, again.text
        assert again.changed == 0, again.json["steps"]

    def fleet(self) -> Fleet:
        """Return the description as it is now, read by the product: only to reach its processes."""
        return load_fleet(str(self.file))

    def target(self, service: str = "orders", sentinels: tuple[str, ...] = ()) -> ServiceAccess:
        """Return what a client needs, with the Sentinels of all machines or of these."""
        fleet = self.fleet()
        aim = target(fleet, _service(fleet, service))
        kept = [node for node in aim.sentinels if not sentinels or node.machine in sentinels]
        return replace(aim, sentinels=tuple(kept))

    @contextmanager
    def writing(self, service: str = "orders", sentinels: tuple[str, ...] = ()) -> Iterator[Written]:
        """Let a client on this machine write through the Sentinels, one acknowledged write after the other."""
        written = Written()
        client = LocalClient(self.target(service, sentinels), _WRITER_SECONDS)
        client.start()
        try:
            eventually(lambda: _writes(client), "the writer finds the master")
            yield written
        finally:
            written.tally = client.stop()

    def exec(self, machine: str, *words: str, stdin: str | None = None) -> str:
        """Run a command as root in a host by the engine, which no cut network keeps out."""
        container = self.hosts[machine].container
        return find().run("exec", *(["--interactive"] if stdin is not None else []), container, *words, stdin=stdin)

    def cli(self, process: str, *words: str) -> str:
        """Send a command to a server or Sentinel from its own machine; the password goes on standard input."""
        found = next(each for each in self.fleet().processes if each.id == process)
        endpoint = found.endpoint
        script = 'read -r REDISCLI_AUTH || :; [ -z "$REDISCLI_AUTH" ] || export REDISCLI_AUTH; exec redis-cli "$@"'
        where = ("-h", endpoint.address, "-p", str(endpoint.port))
        password = found.password.reveal() if found.password else ""
        return self.exec(found.machine, "sh", "-c", script, "sh", *where, *words, stdin=password + "\n")

    def seen(self) -> dict[str, Any]:
        """Return what nobody may change unasked: by machine, processes, roles, settings, and files with their times."""
        fleet = self.fleet()
        found = {}
        for machine in self.hosts:
            asked = [
                {
                    "name": process.name,
                    "address": process.endpoint.address,
                    "port": process.endpoint.port,
                    "sentinel": process.kind == "sentinel",
                    "password": process.password.reveal() if process.password else "",
                    "unit": process.paths.unit,
                    "file": process.paths.configuration,
                }
                for process in fleet.on(machine)
            ]
            script = _SEEN.read_text(encoding="utf-8")
            found[machine] = json.loads(self.exec(machine, "python3", "-c", script, stdin=json.dumps(asked)))
        return found

    def pids(self) -> dict[str, Any]:
        """Return what changes when a process is restarted, by process."""
        return {
            f"{name}@{machine}": seen["started"]
            for machine, processes in self.seen().items()
            for name, seen in processes.items()
        }

    def roles(self) -> dict[str, str]:
        """Return what every server that answers says it is."""
        return {
            f"{name}@{machine}": seen["role"][0]
            for machine, processes in self.seen().items()
            for name, seen in processes.items()
            if "settings" in seen and seen["role"]
        }

    def master(self) -> str:
        """Return the machine of the one master."""
        masters = [name.rpartition("@")[2] for name, role in self.roles().items() if role == "master"]
        assert len(masters) == 1, f"there are {len(masters)} masters: {masters}"
        return masters[0]


@contextmanager
def deployed(name: str, sample: Path, folder: Path, machines: list[str], release: str) -> Iterator[Deployment]:
    """Deploy a copy of a description, in a folder, to new hosts of its machines; they go away at the end."""
    file = folder / sample.name
    try:
        describe(sample, file, hosts.up(name, machines, release))
        deployment = Deployment(name, file)
        deployment.deploy()
        yield deployment
    finally:
        hosts.down(name)


def finish(process: subprocess.Popen[str], patience: float = 0.0) -> Done:
    """Wait for the end of a command, or kill it after some seconds of patience; whoever was killed has no JSON."""
    try:
        out, err = process.communicate(timeout=patience or _RUN_SECONDS)
    except subprocess.TimeoutExpired:
        if not patience:
            raise
        kill(process)
        out, err = process.communicate(timeout=_RUN_SECONDS)
    finally:
        kill(process)
    killed = process.returncode < 0
    assert killed or out.strip(), f"{process.args!r} printed no JSON (exit code {process.returncode}): {err}"
    return Done(process.returncode, {} if killed else json.loads(out), out + err)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a command and all that it has begun, as far as it is still there."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _service(fleet: Fleet, name: str) -> Service:
    return next(each for each in fleet.services if each.name == name)


def _writes(client: LocalClient) -> bool:
    return any(event.acknowledged for event in client.look().events)
