"""What comes out of a switchover or a promotion."""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.operations.report import MasterChange

ELECTION, FAILOVER = "election", "failover"
"""The Sentinels vote and are told, all else is done here; or one of them is told to fail over, behind the fence."""


def wrong_way(by: str) -> str:
    """Return what is wrong with the way that somebody asked for; empty where it is one, or none was asked for."""
    return "" if by in ("", ELECTION, FAILOVER) else f"'{by}' is no way to switch over; write {ELECTION} or {FAILOVER}"


@dataclass(frozen=True, kw_only=True)
class SwitchoverReport(MasterChange):
    """How a switchover went; ``undone``: nobody was promoted, and everything is as it was before.

    ``by`` is ELECTION or FAILOVER, empty where no Sentinel watches.
    """

    undone: bool = False
    by: str = ""
