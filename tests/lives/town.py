"""The sandbox of a life: three servers and three Sentinels as a deployment makes them, and what happens to them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from redis_fleet.agent.host.proc import running_pid
from redis_fleet.model import Fleet
from redis_fleet.observe.request import managed
from redis_fleet.sandbox import processes
from tests.harness.live.faults import wrong
from tests.harness.live.processes import eventually, server_binary
from tests.harness.live.sandboxes import Box
from tests.lives import deploying
from tests.lives.living import MONITOR, FailedError, Living, hasten

DOWN_AFTER, TIMEOUT = 1000, 4000
"""Milliseconds. Short, as a life waits for both."""
_CHANGES = {
    "down-after-milliseconds: 5000": f"down-after-milliseconds: {DOWN_AFTER}",
    "failover-timeout: 60000": f"failover-timeout: {TIMEOUT}",
    "maxmemory: 1gb": "maxmemory: 100mb",
    # So that what a server has acknowledged outlives its process, and no first synchronisation is waited for.
    "appendfsync: everysec": "appendfsync: always\n      repl-diskless-sync-delay: 0",
}
_SOON = 0.2


class Town(Living):
    """A description in a folder of its own, and its sandbox."""

    def __init__(self, folder: Path, *, quick: bool = True) -> None:
        """Write the description; nothing runs yet."""
        super().__init__(quick=quick)
        self.box = Box(folder, "sentinel", _CHANGES)
        self.frozen: dict[str, int] = {}

    @property
    def file(self) -> Path:
        """The description."""
        return self.box.file

    @property
    def fleet(self) -> Fleet:
        """The fleet as the description has it now."""
        return self.box.fleet

    @property
    def silent(self) -> bool:
        """Whether somebody is frozen."""
        return bool(self.frozen)

    def build(self) -> None:
        """Deploy the description as it was at first, in an empty sandbox."""
        self.box.prepare(server_binary())
        self.built = True
        # Sentinels that have just met may miss one another on a busy machine: that passes.
        with self._hastening():
            eventually(self._deployed, "a new sandbox is deployed", 60)
        eventually(lambda: self.box.settled(MONITOR) and self.acquainted(), "a new sandbox is settled", 60)

    @contextmanager
    def _hastening(self) -> Iterator[None]:
        """Sentinels that are started meanwhile are waited for already: they have short periods soon."""
        ended, sentinels = threading.Event(), [managed(each).access for each in self.fleet.sentinels]

        def go_on() -> None:
            while not ended.wait(_SOON):
                hasten(sentinels if self.quick else [])

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
            self.deploy()
        except FailedError:
            return False
        return True

    def raze(self) -> None:
        """End all of it."""
        self.thaw()
        if self.box.root.exists():
            processes.remove(self.box.root)
        shutil.rmtree(self.box.folder.parent, ignore_errors=True)

    def pid(self, name: str) -> int:
        """Return the pid of a process, 0: it does not run."""
        paths = self.of(name).paths
        return running_pid(paths.pid, paths.data)

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

    def deploy(self) -> int:
        """Deploy what is described; returns the number of steps. Raises FailedError."""
        return deploying.deploy(self.fleet)

    def amiss(self) -> list[str]:
        """Return what ``status`` finds."""
        return [str(each) for each in wrong(self.box)]

    def left(self) -> list[str]:
        """Return what a plan has to do, or why it refuses to."""
        left = deploying.planned(self.fleet)
        return [*map(str, left.refusals), *(f"{each.what} ({each.reason})" for each in left.steps)]

    def logs_of(self, names: Iterable[str]) -> dict[str, str]:
        """Return the logs of processes, by id."""
        paths = {name: Path(self.of(name).paths.log) for name in names}
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.exists()}
