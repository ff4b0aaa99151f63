"""The sandbox of a life: three servers and three Sentinels as a deployment makes them, and what happens to them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.host.proc import running_pid
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.protocol.resp import Connection, Reply, ReplyError, pairs
from redis_fleet.agent.replication.agreement import agreed_master
from redis_fleet.agent.replication.view import view
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.request import managed
from redis_fleet.sandbox import processes
from redis_fleet.topology.service_access import target
from tests.harness.live.processes import eventually, server_binary
from tests.harness.live.sandboxes import Box
from tests.lives import deploying

MONITOR = "orders"
DOWN_AFTER, TIMEOUT = 1000, 4000
"""Milliseconds. Short, as a life waits for both."""
_CHANGES = {
    "down-after-milliseconds: 5000": f"down-after-milliseconds: {DOWN_AFTER}",
    "failover-timeout: 60000": f"failover-timeout: {TIMEOUT}",
    "maxmemory: 1gb": "maxmemory: 100mb",
    # So that what a server has acknowledged outlives its process, and no first synchronisation is waited for.
    "appendfsync: everysec": "appendfsync: always\n      repl-diskless-sync-delay: 0",
}
QUICK = {"info-period": 2000, "ping-period": 300, "ask-period": 300, "publish-period": 500, "tilt-period": 4000}
"""Milliseconds, SENTINEL DEBUG: a life waits for these too, and the usual ones are up to 30 s."""
_SOON = 0.2
Words = tuple[object, ...]


class Town:
    """A description in a folder of its own, and its sandbox; ``past`` are the scripts of the lives that were in it.

    ``quick``: its Sentinels do sooner what they do every so often.
    """

    def __init__(self, folder: Path, *, quick: bool = True) -> None:
        """Write the description; nothing runs yet."""
        self.box = Box(folder, "sentinel", _CHANGES)
        self.quick, self.built = quick, False
        self.past: list[list[str]] = []
        self.frozen: dict[str, int] = {}

    @property
    def fleet(self) -> Fleet:
        """The fleet as the description has it now."""
        return self.box.fleet

    @property
    def target(self) -> ServiceAccess:
        """The service."""
        return target(self.fleet, self.fleet.services[0])

    @property
    def servers(self) -> list[str]:
        """The ids of the servers."""
        return [each.id for each in self.fleet.services[0].processes]

    @property
    def sentinels(self) -> list[str]:
        """The ids of the Sentinels."""
        return [each.id for each in self.fleet.sentinels]

    def build(self) -> None:
        """Deploy the description as it was at first, in an empty sandbox."""
        self.box.prepare(server_binary())
        self.built = True
        # Sentinels that have just met may miss one another on a busy machine: that passes.
        with self._hastening():
            eventually(self._deployed, "a new sandbox is deployed", 60)
        eventually(lambda: self.box.settled(MONITOR) and self.acquainted(), "a new sandbox is settled", 60)

    def hasten(self) -> None:
        """Set the short periods, which no Sentinel keeps beyond its end."""
        if self.quick:
            _hasten([managed(each).access for each in self.fleet.sentinels])

    @contextmanager
    def _hastening(self) -> Iterator[None]:
        """Sentinels that are started meanwhile are waited for already: they have short periods soon."""
        ended, sentinels = threading.Event(), [managed(each).access for each in self.fleet.sentinels]

        def go_on() -> None:
            while not ended.wait(_SOON):
                _hasten(sentinels if self.quick else [])

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        self.hasten()

    def _deployed(self) -> bool:
        try:
            deploying.deploy(self.fleet)
        except deploying.FailedError:
            return False
        return True

    def raze(self) -> None:
        """End all of it."""
        self.thaw()
        if self.box.root.exists():
            processes.remove(self.box.root)
        shutil.rmtree(self.box.folder.parent, ignore_errors=True)

    def acquainted(self) -> bool:
        """Whether every Sentinel knows everybody."""
        return all(
            len(one.replicas) == 2 and len(one.sentinels) == 2 and one.quorum_ok for one in self.seen().sentinels
        )

    def seen(self) -> ServiceView:
        """Ask everybody."""
        return view(self.target)

    def named(self, seen: ServiceView | None = None) -> str:
        """Return the server that a majority of the Sentinels names; empty: none."""
        place = agreed_master(seen or self.seen())
        return next((each.id for each in self.target.members if str(each.announced) == place), "")

    def who(self, part: str) -> str:
        """Return who plays a part now: ``master``, ``first`` or ``second`` of the others, ``sentinel1`` to 3."""
        if part.startswith("sentinel"):
            return self.sentinels[int(part[-1]) - 1]
        master = self.named() or self.servers[0]
        others = [name for name in self.servers if name != master]
        return {"master": master, "first": others[0], "second": others[1]}[part]

    def of(self, name: str) -> Process:
        """Return a process by id."""
        return self.box.process(name)

    def neighbours(self, name: str) -> list[str]:
        """Return all processes on the machine of one."""
        return [each.id for each in self.fleet.on(self.of(name).machine)]

    def pid(self, name: str) -> int:
        """Return the pid of a process, 0: it does not run."""
        paths = self.of(name).paths
        return running_pid(paths.pid, paths.data)

    def open(self, name: str, timeout: float = 1.0) -> Connection:
        """Connect to a process."""
        return connect(managed(self.of(name)).access, timeout)

    def tell(self, name: str, *words: object) -> Reply:
        """Send one command; None where it does not answer."""
        try:
            with self.open(name) as connection:
                return connection.call(*words)
        except (OSError, ReplyError, ValueError):
            return None

    def watched(self, sentinel: str) -> dict[str, str]:
        """Return SENTINEL MASTER; empty where it does not answer."""
        reply = self.tell(sentinel, "SENTINEL", "MASTER", MONITOR)
        return pairs(reply) if isinstance(reply, list) else {}

    def kill(self, *names: str) -> None:
        """SIGKILL processes and wait for their end."""
        pids = {name: pid for name in names if (pid := self.pid(name))}
        for name, pid in pids.items():
            self.frozen.pop(name, None)
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not any(map(self.pid, pids)), "they are gone", 30)

    def end(self, name: str) -> None:
        """Stop a process in order, as systemd does: SIGTERM, and SIGKILL for whoever takes too long."""
        if pid := self.pid(name):
            os.kill(pid, signal.SIGTERM)
            try:
                eventually(lambda: not self.pid(name), f"{name} has ended", 15)
            except AssertionError:
                self.kill(name)

    def launching(self, name: str) -> list[str]:
        """Return what starts a process with the file that it has."""
        process, sandbox = self.of(name), self.fleet.sandbox
        assert sandbox
        return [sandbox.server, process.paths.configuration, *managed(process).kind.arguments]

    def start(self, *names: str) -> None:
        """Start what does not run, as a supervisor would."""
        for name in names:
            if not self.pid(name):
                subprocess.run(self.launching(name), check=True, stdout=subprocess.DEVNULL)
                eventually(lambda: bool(self.pid(name)), f"{name} runs", 30)  # noqa: B023
        if not set(names).isdisjoint(self.sentinels):
            self.hasten()

    def freeze(self, names: Iterable[str]) -> None:
        """SIGSTOP processes: nobody hears of them, and their connections stay."""
        for name in names:
            if name not in self.frozen and (pid := self.pid(name)):
                os.kill(pid, signal.SIGSTOP)
                self.frozen[name] = pid

    def thaw(self, names: Iterable[str] = ()) -> None:
        """SIGCONT processes, all where none is named."""
        for name in list(names) or list(self.frozen):
            if pid := self.frozen.pop(name, 0):
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    continue

    def logs(self) -> dict[str, str]:
        """Return the log of each Sentinel."""
        paths = {name: Path(self.of(name).paths.log) for name in self.sentinels}
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.exists()}

    def describe(self, **values: Any) -> None:
        """Ask for directives of the service; ``_`` stands for ``-``, None takes one out."""
        lines = self.box.file.read_text(encoding="utf-8").splitlines()
        place = next(number for number, line in enumerate(lines) if line.startswith("    config:")) + 1
        for name, value in values.items():
            word = f"      {name.replace('_', '-')}:"
            lines = [line for line in lines if not line.startswith(word)]
            if value is not None:
                lines.insert(place, f"{word} {value}")
        self.box.file.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _hasten(sentinels: Iterable[Access]) -> None:
    for access in sentinels:
        try:
            with connect(access, 1.0) as connection:
                connection.call("SENTINEL", "DEBUG", *(word for pair in QUICK.items() for word in pair))
        except (OSError, ReplyError):
            continue


class Towns:
    """One town after the other, each for ``lives`` lives: the next life begins with what was just judged whole."""

    def __init__(self, folder: Path, lives: int = 1, *, quick: bool = True) -> None:
        """``folder`` is where their folders are made."""
        self.lives = lives
        self._folder, self._quick = folder, quick
        self._going_on: Town | None = None

    def take(self) -> Town:
        """Return the town of the next life; in a new one nothing runs yet."""
        town, self._going_on = self._going_on, None
        return town or Town(Path(tempfile.mkdtemp(prefix="life-", dir=self._folder)) / "box", quick=self._quick)

    def give_back(self, town: Town, script: list[str]) -> None:
        """Let another life go on in a town."""
        town.past.append(script)
        if len(town.past) < self.lives:
            self._going_on = town
        else:
            town.raze()

    def close(self) -> None:
        """Take away what is there."""
        if self._going_on:
            self._going_on.raze()
