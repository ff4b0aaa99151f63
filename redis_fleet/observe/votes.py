"""Whom the Sentinels name as a master, as far as they were seen."""

from __future__ import annotations

from collections.abc import Iterable

from redis_fleet.agent.replication.agreement import Vote
from redis_fleet.model import Process
from redis_fleet.observe.facts import Observed


def votes(seen: Observed, sentinels: Iterable[Process], name: str) -> list[Vote]:
    """Return what those Sentinels say that know a master by this name."""
    found = ((each.id, seen.of(each).masters.get(name)) for each in sentinels)
    return [Vote(who, str(view.endpoint), view.flags) for who, view in found if view is not None]
