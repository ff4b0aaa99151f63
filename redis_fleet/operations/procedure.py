"""What a playbook does with an operation: choose, lock, do, remember, judge; a ``Procedure`` says what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from redis_fleet.agent.codec import Message, Request
from redis_fleet.model import Fleet
from redis_fleet.observe.facts import Observed
from redis_fleet.operations.arguments import Arguments
from redis_fleet.operations.command import OperationCommand
from redis_fleet.operations.ports import Say
from redis_fleet.operations.report import OperationReport

A = TypeVar("A", bound=Message)


class Machine(Protocol):
    """The machine that a step runs for; what it does not do raises RuntimeError with its words."""

    name: str

    def ask(self, request: Request[A], *, dry: bool = False) -> A:
        """Send a request and return its answer; raises OperationRefusedError where the machine touched nothing."""


@dataclass(frozen=True)
class Situation:
    """What every step is given.

    ``observed`` returns what was seen of all machines, where the playbook observed them; ``answers`` are the results of
    ``ask`` by machine, empty for one that did not answer. ``trying`` is true where nothing may be changed.
    """

    fleet: Fleet
    given: Arguments
    machine: Machine
    observed: Callable[[], Observed]
    answers: Mapping[str, Mapping[str, Any]]
    say: Say
    trying: bool = False


@dataclass(frozen=True)
class Chosen:
    """What is going to be done, ``machine`` being where it is done from.

    ``verb``, ``how`` and ``what`` are for the lock and the journals of the ``reachable`` machines, with the name of the
    ``process`` that it is about, if it is one. ``lock`` is false where nothing will be changed. ``details`` come back
    when it is done.
    """

    machine: str
    verb: str
    how: str
    what: str
    reachable: tuple[str, ...]
    process: str = ""
    lock: bool = True
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What came of it: whether anything was ``changed``, what to say of a success, and what else a playbook may read.

    ``at_once``: a failure ends the run here, before anything is remembered.
    """

    report: OperationReport
    changed: bool
    summary: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    at_once: bool = False


class Procedure(ABC):
    """An operation as playbooks/operation.yml runs it, by its ``name``, which is that of its playbook.

    ``commands`` are those of the command line that run this playbook.

    All steps raise OperationRefusedError where nothing was touched, and RuntimeError with the words of a machine.
    """

    name: ClassVar[str]
    commands: ClassVar[tuple[OperationCommand, ...]] = ()

    def check(self, situation: Situation) -> None:  # noqa: B027 (many are for every fleet)
        """Raise OperationRefusedError for what can be refused without asking anybody; before every step."""

    def ask(self, situation: Situation) -> Mapping[str, Any]:  # noqa: ARG002
        """Ask the machine that this runs for, before anything is chosen; its answer is among ``answers`` then."""
        return {}

    @abstractmethod
    def choose(self, situation: Situation) -> Chosen:
        """Say what is going to be done; contacts nobody."""

    @abstractmethod
    def do(self, situation: Situation, details: Mapping[str, str]) -> Done:
        """Do it, from the chosen machine."""

    def remember(self, situation: Situation, report: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Note on the machine that this runs for what came of it; returns whether that changed anything."""
        return False
