"""What comes out of a switchover or a promotion."""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.operations.report import MasterChange

ELECTION, FAILOVER = "election", "failover"
"""The Sentinels vote and are told, all else is done here; or one of them is told to fail over, behind the fence."""


@dataclass(frozen=True, kw_only=True)
class SwitchoverReport(MasterChange):
    """How a switchover went; ``undone``: nobody was promoted, and everything is as it was before.

    ``by`` is ELECTION or FAILOVER, empty where no Sentinel watches.
    """

    undone: bool = False
    by: str = ""
