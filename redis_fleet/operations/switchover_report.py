"""What comes out of a switchover."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from redis_fleet.operations.ports import TimelineEvent


class SwitchoverRefusedError(Exception):
    """The service or the replica is not fit for it; nothing was touched. The text says why and what to do."""


@dataclass(frozen=True)
class SwitchoverReport:
    """How a switchover went; ``ok`` exactly when ``problems`` is empty.

    ``old_master`` and ``new_master`` are ids: the same when there was nothing to do, ``new_master`` empty when nobody
    was promoted. ``undone``: it did not come to a promotion and everything is as it was before. ``write_gap_ms`` is the
    longest time between two acknowledged writes of a client that wrote all the time, ``acknowledged_lost`` are its
    acknowledged writes that the new master does not have, ``refused`` its tries that failed; all None where nothing was
    measured.
    """

    ok: bool
    service: str
    old_master: str
    new_master: str
    write_gap_ms: int | None
    acknowledged: int | None
    acknowledged_lost: int | None
    refused: int | None
    undone: bool
    problems: tuple[str, ...]
    timeline: tuple[TimelineEvent, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return asdict(self)
