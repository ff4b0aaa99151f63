"""One machine as a check sees it, and a line of the pre-flight table: what was found there, and by which rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from redis_fleet import kinds
from redis_fleet.agent.messages.host_facts import HostFacts
from redis_fleet.catalogue.check import persists, value_of
from redis_fleet.catalogue.one_word import size as bytes_of
from redis_fleet.description.nodes import dotted
from redis_fleet.model import Fleet, Process
from redis_fleet.rulebook import Rule, decides
from redis_fleet.settings.shares import unknown

State = Literal["pass", "warn", "fail"]


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
class Answered:
    """What a machine answered, and the controller's time (seconds since 1970) before and after."""

    facts: HostFacts
    asked: float
    answered: float


@dataclass(frozen=True)
class HostReport:
    """One machine as a check sees it: what is described, what it answered, and what all of them did.

    Of a machine that could not be looked at, the answer is a text that says why.
    """

    fleet: Fleet
    machine: str
    answers: Mapping[str, Answered | str]

    @cached_property
    def answer(self) -> Answered:
        """What this machine answered."""
        found = self.answers[self.machine]
        assert isinstance(found, Answered)
        return found

    @property
    def facts(self) -> HostFacts:
        """What was found out about this machine."""
        return self.answer.facts

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
        return bool(self.facts.container)

    @property
    def prepared(self) -> bool:
        """Whether a deployment sets up what is around the processes; not in a container, not where all are adopted."""
        return not self.container and not self.fleet.keeps_setup(self.machine)

    def value(self, process: Process, name: str) -> str:
        """Return a directive's first word, as described or by default."""
        return value_of(self.fleet.engine, process, name)

    def holds(self, subject: str, seen: str, rule: Rule, path: str = "") -> Row:
        """Return the row of a rule that is not broken."""
        return Row(self.machine, subject, "pass", seen, "", rule.id, path)

    def breaks(self, subject: str, seen: str, fix: str, rule: Rule, path: str = "") -> Row:
        """Return the row of a rule that is: an error keeps the deployment from working, a warning wants a look."""
        state: State = "fail" if rule.severity == "error" else "warn"
        return Row(self.machine, subject, state, seen, fix, rule.id, path)


Check = Callable[[HostReport], Iterator[Row]]
_CHECKS: list[Check] = []
# The table is in this order of modules; in a module the checks are in the order in which they are written.
_TOPICS = ("system", "network", "memory", "disks", "kernel")


def on_hosts(*rules: Rule) -> Callable[[Check], Check]:
    """Make a function judge machines by these rules: all that it yields are rows of one of them."""

    def register(function: Check) -> Check:
        _CHECKS.append(decides(*rules)(function))
        return function

    return register


def host_checks() -> tuple[Check, ...]:
    """Return what judges machines, in the order of the table, as far as the modules were read."""
    return tuple(sorted(_CHECKS, key=_topic))


def _topic(check: Check) -> int:
    name = check.__module__.rpartition(".")[2]
    return _TOPICS.index(name) if name in _TOPICS else len(_TOPICS)


def limit(host: HostReport, process: Process) -> int:
    """Return maxmemory in bytes, 0 for none; also for a share of a memory that the machine did not tell."""
    return 0 if unknown([process]) else bytes_of(host.value(process, "maxmemory"))


def saves(process: Process) -> bool:
    """Say whether a server keeps its data over a restart."""
    return persists(process.plain)


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
