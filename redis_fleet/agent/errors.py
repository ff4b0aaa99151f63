"""What can go wrong on a machine, by code; the text is for people and is never taken apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar


class AgentError(Exception):
    """Something was not done; ``code`` says which kind of thing went wrong."""

    code: ClassVar[str] = "failed"

    @property
    def answer(self) -> dict[str, Any]:
        """Return what else the caller gets to know, JSON-able."""
        return {}


class NotReadyError(AgentError):
    """A process did not become what it should be in time; the text says what it is and shows its last log lines."""

    code = "not-ready"


class RefusedError(AgentError):
    """Nothing was touched: what was asked for does harm, or is not possible; the text says why."""

    code = "refused"


class JournalError(AgentError, OSError):
    """The lock or the journal of the deployment cannot be read or written on this machine."""

    code = "journal"


class ChangeError(AgentError, RuntimeError):
    """An order failed; the text says which, on which process, in the server's words. ``changed`` was done before."""

    code = "change"

    def __init__(self, text: str, changed: Iterable[str]) -> None:
        """Keep what had been done."""
        super().__init__(text)
        self.changed = list(changed)

    @property
    def answer(self) -> dict[str, Any]:
        """Return what had been done, and that something is different now if it was anything."""
        return {"done": self.changed, "changed": bool(self.changed)}
