"""Who is the master? What the Sentinels say, counted; where none watches, who acts as one. Pure.

The planner, the switchover, the drills and the verification all ask here. Places are ``address:port``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .. import engine_words
from ..messages.service import MemberView, ServiceAccess, ServiceView

AGREED, TOO_FEW, NOBODY, FAILING_OVER, DIVIDED = "agreed", "too-few", "nobody", "failing-over", "divided"


def majority(count: int) -> int:
    """Return how many of ``count`` Sentinels are a majority."""
    return count // 2 + 1


@dataclass(frozen=True)
class Vote:
    """What one Sentinel (id) that answers says: whom it names, and its flags of that one."""

    voter: str
    place: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """What came of the votes.

    ``code`` is the first that holds of TOO_FEW (those that answer are no majority), NOBODY (none of them knows the
    service), FAILING_OVER, DIVIDED (they name different ones), AGREED. ``master`` is whom a majority of all names,
    whatever the code; empty for nobody. ``named`` has the voters by the place that they name, ``failing_over`` those
    that say that a failover is under way.
    """

    code: str
    master: str
    named: Mapping[str, tuple[str, ...]]
    failing_over: tuple[str, ...]

    @property
    def unanimous(self) -> str:
        """Whom all name that know the service; empty when they differ, or when there is none."""
        return next(iter(self.named)) if len(self.named) == 1 else ""


def count(votes: Iterable[Vote], answering: int, everyone: int) -> Verdict:
    """Count votes; ``answering`` of ``everyone`` answer, also those that do not know the service."""
    cast = list(votes)
    named: dict[str, tuple[str, ...]] = {}
    for vote in cast:
        named[vote.place] = (*named.get(vote.place, ()), vote.voter)
    master = next((place for place, voters in named.items() if len(voters) >= majority(everyone)), "")
    failing_over = tuple(vote.voter for vote in cast if engine_words.any_of(vote.flags, engine_words.FAILING_OVER))
    if answering < majority(everyone):
        code = TOO_FEW
    elif not named:
        code = NOBODY
    elif failing_over:
        code = FAILING_OVER
    else:
        code = AGREED if len(named) == 1 else DIVIDED
    return Verdict(code, master, named, failing_over)


def counted(seen: ServiceView) -> Verdict:
    """Count what the Sentinels of a view say."""
    votes = [Vote(one.id, one.master, frozenset(one.flags)) for one in seen.sentinels if not one.problem]
    return count(votes, len(votes), len(seen.sentinels))


def agreed_master(seen: ServiceView) -> str:
    """Return whom a majority of all configured Sentinels names, empty for nobody."""
    return counted(seen).master


def acting(members: Iterable[MemberView]) -> list[str]:
    """Return which members (ids) say themselves that they are the master."""
    return [each.id for each in members if not each.problem and each.role == engine_words.MASTER]


def name_of(target: ServiceAccess, place: str) -> str:
    """Return the id of the member at ``address:port``, or the address itself when no member is there."""
    return next((each.id for each in target.members if str(each.announced) == place), place)


def master_of(target: ServiceAccess, seen: ServiceView) -> str:
    """Return the master's id: whom a majority of the Sentinels names, without Sentinels the only one that says so.

    Empty when there is none, or more than one.
    """
    if target.monitor:
        return name_of(target, agreed_master(seen))
    found = acting(seen.members)
    return found[0] if len(found) == 1 else ""
