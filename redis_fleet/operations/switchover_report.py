"""What comes out of a switchover or a promotion."""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.operations.report import MasterChange


@dataclass(frozen=True, kw_only=True)
class SwitchoverReport(MasterChange):
    """How a switchover went; ``undone``: nobody was promoted, and everything is as it was before."""

    undone: bool = False
