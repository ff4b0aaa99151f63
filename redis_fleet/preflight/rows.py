"""One line of the pre-flight table, and what a check is given to make it from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from redis_fleet import kinds
from redis_fleet.catalogue.check import value_of
from redis_fleet.description.nodes import dotted
from redis_fleet.model import Fleet, Process

State = Literal["pass", "warn", "fail"]
Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """What was found about one subject on one machine, and what to do about it.

    ``rule`` is the identifier of the rule that it is judged by, ``path`` the section of the description that it is
    about: both decide which silences cover it.
    """

    machine: str
    subject: str
    state: State
    seen: str
    fix: str = ""
    rule: str = ""
    path: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Site:
    """One machine as a check sees it: what is described, what it answered, and what all of them did.

    The answers are those of ``agent.inspect.host_facts``; ``{"error": …}`` where a machine could not be looked at.
    """

    fleet: Fleet
    machine: str
    answers: Mapping[str, Answer]

    @property
    def answer(self) -> Answer:
        """What this machine answered."""
        return self.answers[self.machine]

    @property
    def address(self) -> str:
        """Its address in the description."""
        return self.fleet.machines[self.machine].address

    @cached_property
    def processes(self) -> tuple[Process, ...]:
        """The processes that are described for it."""
        return tuple(self.fleet.on(self.machine))

    @cached_property
    def servers(self) -> tuple[Process, ...]:
        """Those of them that hold data."""
        return tuple(process for process in self.processes if kinds.of(process).keeps_data)

    @property
    def container(self) -> bool:
        """Whether its kernel is another machine's."""
        return bool(self.answer["container"])

    @property
    def prepared(self) -> bool:
        """Whether a deployment sets up what is around the processes; not in a container, not where all are adopted."""
        return not self.container and not self.fleet.keeps_setup(self.machine)

    def value(self, process: Process, name: str) -> str:
        """Return a directive's first word, as described or by default."""
        return value_of(self.fleet.engine, process, name)

    def good(self, subject: str, seen: str, rule: str = "", path: str = "") -> Row:
        """Return a row that passes."""
        return Row(self.machine, subject, "pass", seen, "", rule, path)

    def warn(self, subject: str, seen: str, fix: str, rule: str, path: str = "") -> Row:
        """Return a row that wants a look."""
        return Row(self.machine, subject, "warn", seen, fix, rule, path)

    def fail(self, subject: str, seen: str, fix: str, rule: str, path: str = "") -> Row:
        """Return a row that keeps the deployment from working."""
        return Row(self.machine, subject, "fail", seen, fix, rule, path)


Check = Callable[[Site], Iterator[Row]]


def section(process: Process) -> str:
    """Return the section of the description that a process comes from."""
    return dotted(kinds.of(process).section(process))


def size(number: float) -> str:
    """Return bytes for people."""
    for unit in ("B", "KiB", "MiB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


def plural(number: int, noun: str) -> str:
    """Return ``3 processes`` and ``1 process``."""
    ending = "es" if noun.endswith("s") else "s"
    return f"{number} {noun}{'' if number == 1 else ending}"
