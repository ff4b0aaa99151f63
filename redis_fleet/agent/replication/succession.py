"""Who follows on a master whose process has ended: judged from what was seen. Pure.

Everything that is in doubt is a reason to leave it to Sentinel, which needs its down-after and goes on as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .. import engine_words
from ..messages.service import MemberView, ServiceAccess, ServiceView
from .agreement import AGREED, DIVIDED, FAILING_OVER, NOBODY, TOO_FEW, agreed_master, counted, name_of
from .fitness import LAG, member_of, unfit, unready

RECENT = 3
"""Seconds that a replica's link may be down for, when its master's process has ended just now."""
_DOUBTS = {
    TOO_FEW: "no majority of the Sentinels answers",
    NOBODY: "no Sentinel knows the service",
    FAILING_OVER: "a failover is under way",
    DIVIDED: "the Sentinels do not agree on the master",
}


@dataclass(frozen=True)
class Succession:
    """The ``heirs`` (ids) in the order in which they are tried, or why there is none.

    ``wait``: it passes by itself, as a replica still reads what its master sent before it ended.
    """

    heirs: tuple[str, ...] = ()
    doubt: str = ""
    wait: bool = False


def undisputed(target: ServiceAccess, seen: ServiceView, name: str) -> str:
    """Return why a member (id) is not the master on which a majority of the Sentinels agrees; empty where it is."""
    verdict = counted(seen)
    if verdict.code != AGREED:
        return _DOUBTS[verdict.code]
    named = name_of(target, verdict.master)
    return "" if named == name else f"the master is {named or 'nobody'}"


def replacement(target: ServiceAccess, seen: ServiceView, name: str) -> str:
    """Return the member (id) that a majority of the Sentinels names as the master in the place of another.

    Empty where that one is still named, or where no majority names anybody: who has heard of a new master does not go
    back to the old one.
    """
    named = name_of(target, agreed_master(seen))
    return named if named != name and any(each.id == named for each in target.members) else ""


def of_crashed(target: ServiceAccess, seen: ServiceView, old: str) -> Succession:
    """Return who may follow on a master (id) whose process has ended without handing over."""
    doubt = undisputed(target, seen, old) or _alive(seen, old)
    if doubt:
        return Succession(doubt=doubt)
    replicas = [each for each in seen.members if not each.problem and name_of(target, each.follows) == old]
    reading = [each.id for each in replicas if each.link_up]
    if reading:
        return Succession(doubt=f"{', '.join(reading)} does not find its link to {old} closed", wait=True)
    return _ranked(seen, replicas)


def _alive(seen: ServiceView, old: str) -> str:
    """Return why somebody else may take writes already."""
    one = member_of(seen, old)
    if one is None or not one.problem:
        return f"{old} answers"
    masters = [each.id for each in seen.members if not each.problem and each.role == engine_words.MASTER]
    return f"{', '.join(masters)} is a master already" if masters else ""


def _ranked(seen: ServiceView, replicas: Iterable[MemberView]) -> Succession:
    """The newest data first, then Sentinel's own order; whoever lacks what another one has is left out."""
    all_ = list(replicas)
    fit = [each for each in all_ if each.priority and not each.loading and 0 <= each.unlinked <= RECENT]
    if not fit:
        return Succession(doubt="no replica may be promoted whose link was up until now")
    best = max(each.offset for each in fit)
    # As the Sentinels read them up to 10 s ago: who has less now was out of step then.
    before = max((offset for one in seen.sentinels if not one.problem for offset in one.offsets.values()), default=0)
    newest = max(each.offset for each in all_)
    if best < before or best < newest - LAG:
        newer = max(before, newest)
        return Succession(doubt=f"what may be promoted has the data up to {best}, others had it up to {newer}")
    ranked = sorted(fit, key=lambda each: (-each.offset, each.priority))
    return Succession(tuple(each.id for each in ranked if each.offset >= max(before, best - LAG)))


def of_stopping(target: ServiceAccess, seen: ServiceView, old: str) -> Succession:
    """Return who may take over from a master (id) that runs and is about to be stopped."""
    doubt = undisputed(target, seen, old)
    if doubt:
        return Succession(doubt=doubt)
    fit = [each for each in seen.members if each.id != old and not unfit(target, seen, old, each.id)]
    if not fit or unready(target, seen, old):
        return Succession(doubt="no replica is fit to take over" if not fit else "the Sentinels are not at ease")
    ranked = sorted(fit, key=lambda each: (-each.offset, each.priority))
    return Succession(tuple(each.id for each in ranked))
