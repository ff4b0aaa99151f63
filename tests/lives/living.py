"""A deployment that lives: what a life asks of it, wherever its processes run; and one of them after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Any, Generic, TypeVar

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.protocol.resp import Connection, Reply, ReplyError, pairs
from redis_fleet.agent.replication.agreement import agreed_master
from redis_fleet.agent.replication.view import view
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.request import managed
from redis_fleet.topology.service_access import target

MONITOR = "orders"
QUICK = {"info-period": 2000, "ping-period": 300, "ask-period": 300, "publish-period": 500, "tilt-period": 4000}
"""Milliseconds, SENTINEL DEBUG: a life waits for these too, and the usual ones are up to 30 s."""


class FailedError(Exception):
    """A deployment did not come to its end; ``refused``: it touched nothing; ``passes``: that may pass by itself."""

    def __init__(self, said: str, *, refused: bool = False, passes: bool = False) -> None:
        """Keep what was said."""
        super().__init__(said)
        self.refused, self.passes = refused, passes


class Living(ABC):
    """A service of three servers and three Sentinels; ``past`` are the scripts of the lives that were in it.

    ``quick``: its Sentinels do sooner what they do every so often. ``zone``: the time zone of its logs (None: this
    machine's).
    """

    zone: tzinfo | None = None

    def __init__(self, *, quick: bool = True) -> None:
        """Nothing runs yet."""
        self.quick, self.built = quick, False
        self.past: list[list[str]] = []

    @property
    @abstractmethod
    def file(self) -> Path:
        """The description."""

    @property
    @abstractmethod
    def fleet(self) -> Fleet:
        """The fleet as the description has it now."""

    @property
    @abstractmethod
    def silent(self) -> bool:
        """Whether somebody is known not to answer now."""

    @abstractmethod
    def build(self) -> None:
        """Deploy the description as it was at first, where nothing is yet."""

    @abstractmethod
    def raze(self) -> None:
        """End all of it, as far as it is there."""

    @abstractmethod
    def deploy(self) -> int:
        """Deploy what is described; returns the number of steps. Raises FailedError."""

    @abstractmethod
    def amiss(self) -> list[str]:
        """Return what ``status`` finds."""

    @abstractmethod
    def left(self) -> list[str]:
        """Return what a deployment that has just been deployed would do, or why it refuses to."""

    @abstractmethod
    def logs_of(self, names: Iterable[str]) -> dict[str, str]:
        """Return the logs of processes, by id."""

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

    def of(self, name: str) -> Process:
        """Return a process by id."""
        return next(each for each in self.fleet.processes if each.id == name)

    def place(self, name: str) -> str:
        """Return where a process is, ADDRESS:PORT."""
        return str(self.of(name).announced)

    def neighbours(self, name: str) -> list[str]:
        """Return all processes on the machine of one."""
        return [each.id for each in self.fleet.on(self.of(name).machine)]

    def seen(self) -> ServiceView:
        """Ask everybody."""
        return view(self.target)

    def named(self, seen: ServiceView | None = None) -> str:
        """Return the server that a majority of the Sentinels names; empty: none."""
        place = agreed_master(seen or self.seen())
        return next((each.id for each in self.target.members if str(each.announced) == place), "")

    def acquainted(self) -> bool:
        """Whether every Sentinel knows everybody."""
        return all(
            len(one.replicas) == 2 and len(one.sentinels) == 2 and one.quorum_ok for one in self.seen().sentinels
        )

    def who(self, part: str) -> str:
        """Return who plays a part now: ``master``, ``first`` or ``second`` of the others, ``sentinel1`` to 3."""
        if part.startswith("sentinel"):
            return self.sentinels[int(part[-1]) - 1]
        master = self.named() or self.servers[0]
        others = [name for name in self.servers if name != master]
        return {"master": master, "first": others[0], "second": others[1]}[part]

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

    def hasten(self) -> None:
        """Set the short periods, which no Sentinel keeps beyond its end."""
        if self.quick:
            hasten([managed(each).access for each in self.fleet.sentinels])

    def describe(self, **values: Any) -> None:
        """Ask for directives of the service; ``_`` stands for ``-``, None takes one out."""
        lines = self.file.read_text(encoding="utf-8").splitlines()
        place = next(number for number, line in enumerate(lines) if line.startswith("    config:")) + 1
        for name, value in values.items():
            word = f"      {name.replace('_', '-')}:"
            lines = [line for line in lines if not line.startswith(word)]
            if value is not None:
                lines.insert(place, f"{word} {value}")
        self.file.write_text("\n".join([*lines, ""]), encoding="utf-8")


def hasten(sentinels: Iterable[Access]) -> None:
    """Set the short periods of Sentinels that answer."""
    for access in sentinels:
        try:
            with connect(access, 1.0) as connection:
                connection.call("SENTINEL", "DEBUG", *(word for pair in QUICK.items() for word in pair))
        except (OSError, ReplyError):
            continue


T = TypeVar("T", bound=Living)


class Towns(Generic[T]):
    """One town after the other, each for ``lives`` lives: the next life begins with what was just judged whole."""

    def __init__(self, new: Callable[[], T], lives: int = 1) -> None:
        """``new`` makes a town in which nothing runs yet."""
        self.lives = lives
        self._new = new
        self._going_on: T | None = None
        self._last: T | None = None

    def take(self) -> T:
        """Return the town of the next life; in a new one nothing runs yet."""
        self._last, self._going_on = self._going_on or self._new(), None
        return self._last

    def give_back(self, town: T, script: list[str]) -> None:
        """Let another life go on in a town."""
        town.past.append(script)
        if len(town.past) < self.lives:
            self._going_on = town
        else:
            town.raze()

    def close(self) -> None:
        """Take away what is there, also where taking it away was interrupted."""
        if self._last:
            self._last.raze()
