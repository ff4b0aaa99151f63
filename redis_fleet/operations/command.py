"""What somebody types for an operation: the command line makes a command of it, as it does for every other one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from redis_fleet.model import Fleet
from redis_fleet.operations.arguments import Arguments


class WrongArgumentError(Exception):
    """There is no such thing in the description; the text says what there is."""


@dataclass(frozen=True)
class Parameter:
    """What a command takes: the variable ``redis_fleet_NAME`` of the operation's playbook, not given where it is None.

    An ``argument`` is a text that is needed, an ``option`` a text that is not, a ``flag`` a truth.
    """

    name: str
    kind: Literal["argument", "option", "flag"]
    help: str


class OperationCommand(ABC):
    """A command that runs the playbook of its operation, under the lock of the deployment, and tells what came of it.

    ``help`` is what --help prints, its first sentence also in the list of all commands. ``always`` are variables that
    are not asked for. Where it is ``tried`` first, the playbook has a variable redis_fleet_dry, what would be done is
    said by ``said``, and the question is about that.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    always: ClassVar[Mapping[str, Any]] = {}
    tried: ClassVar[bool] = False

    def check(self, fleet: Fleet, given: Arguments) -> None:  # noqa: B027 (what a playbook refuses is enough for some)
        """Raise WrongArgumentError or OperationRefusedError for what needs no machine to know."""

    @abstractmethod
    def question(self, given: Arguments) -> str:
        """Return what has to be agreed to."""

    @abstractmethod
    def said(self, report: Mapping[str, Any]) -> str:
        """Return what was done, as one sentence; ``report`` is the operation's report as a dict."""

    def numbers(self, report: Mapping[str, Any]) -> Sequence[tuple[str, str]]:  # noqa: ARG002
        """Return what was measured, if anything was; the report is empty where it did not come to one."""
        return ()

    def failed(self, given: Arguments, failures: Sequence[str]) -> dict[str, Any]:
        """Return what stands for the report where it did not come to one, JSON-able: about what, and why."""
        about = self.parameters[0].name
        return {"ok": False, about: given.text(about), "problems": list(failures)}
