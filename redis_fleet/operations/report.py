"""What comes out of an operation: one report, which succeeds and fails in the same way for all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from redis_fleet.agent.messages.client import Tally
from redis_fleet.operations.ports import TimelineEvent


@dataclass(frozen=True)
class Measured:
    """What the client under load counted; all None where nothing was measured.

    ``write_gap_ms`` is the longest time between two acknowledged writes. ``acknowledged_lost`` are acknowledged writes
    that the master does not have in the end, ``refused`` the tries that failed.
    """

    write_gap_ms: int | None = None
    acknowledged: int | None = None
    acknowledged_lost: int | None = None
    refused: int | None = None

    @classmethod
    def of(cls, tally: Tally | None) -> Measured:
        """Return the numbers of a tally."""
        if tally is None:
            return cls()
        return cls(tally.write_gap_ms, tally.acknowledged, tally.acknowledged_lost, tally.refused)


@dataclass(frozen=True, kw_only=True)
class OperationReport:
    """How an operation went: well exactly when there are no ``problems``, each a sentence."""

    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it did what it was for, and nothing was found that should not be."""
        return not self.problems

    @property
    def failure(self) -> str:
        """The words of a failure, empty for a success."""
        return "\n".join(self.problems)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return {"ok": self.ok, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class MasterChange(Measured, OperationReport):
    """How an operation went after which another process may be the master of a service, and what a client noticed.

    ``old_master`` and ``new_master`` are ids: the same when there was nothing to do, ``new_master`` empty when nobody
    was promoted.
    """

    service: str
    old_master: str = ""
    new_master: str = ""
    timeline: tuple[TimelineEvent, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is a new master."""
        return self.new_master not in ("", self.old_master)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values: the result first, the events last."""
        told = super().to_dict()
        head = {name: told.pop(name) for name in ("ok", "service", "old_master", "new_master")}
        tail = {name: told.pop(name) for name in ("problems", "timeline")}
        return {**head, **told, **tail}


def unit(number: int | None, unit: str = "") -> str:
    """Return a measured number with its unit for people."""
    return "not known" if number is None else f"{number:,} {unit}".strip()
