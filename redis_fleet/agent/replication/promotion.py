"""Promote a replica by hand where no Sentinel watches: the old master is down and nothing else will do it."""

from __future__ import annotations

import time

from ..messages.handover import Handover, Note
from ..messages.service import ServiceAccess, ServiceView
from .agreement import acting, name_of
from .connections import Servers
from .fence import FENCE, MIN_REPLICAS
from .findings import Code, Finding, sentences
from .fitness import member_of, unpromotable
from .roles import follow
from .view import CONNECTION_ERRORS, describe_error, view


def choose(target: ServiceAccess, seen: ServiceView, wanted: str) -> tuple[str, list[str]]:
    """Return which member (id) to promote and why that must not be, each a sentence; ``wanted`` empty: the newest data.

    Among replicas with the same data the lowest priority number is taken, then the order of the description.
    """
    new, found = _choose(target, seen, wanted)
    return new, sentences(found)


def _choose(target: ServiceAccess, seen: ServiceView, wanted: str) -> tuple[str, list[Finding]]:
    needless = _not_needed(target, seen)
    if needless:
        return "", needless
    fit = [each for each in seen.members if not unpromotable(each)]
    one = member_of(seen, wanted)
    if wanted and one not in fit:
        said = (one.problem or "loading, or never to be promoted") if one else "it is no process of the service"
        return wanted, [Finding(Code.CANNOT_BE_PROMOTED, wanted, said=said)]
    if not fit:
        return "", [Finding(Code.NONE_TO_PROMOTE, target.service)]
    return wanted or max(fit, key=lambda each: (each.offset, -each.priority)).id, []


def _not_needed(target: ServiceAccess, seen: ServiceView) -> list[Finding]:
    """Return why nobody has to be promoted by hand."""
    name = target.service
    if target.monitor:
        return [Finding(Code.WATCHED, name)]
    if target.external_master:
        return [Finding(Code.MASTER_ELSEWHERE, name)]
    alive = acting(seen.members)
    if alive:
        return [Finding(Code.STILL_A_MASTER, name, said=", ".join(alive))]
    linked = [each for each in seen.members if not each.problem and each.link_up]
    said = ", ".join(f"{each.id} is linked to {name_of(target, each.follows)}" for each in linked)
    return [Finding(Code.STILL_LINKED, name, said=said)] if linked else []


def promote(target: ServiceAccess, wanted: str) -> Handover:
    """Make a replica (id, empty: the one with the newest data) the master and let the others follow it."""
    seen = view(target)
    new, problems = choose(target, seen, wanted)
    if problems:
        return _nobody(problems, undone=True)
    notes = []
    with Servers(target) as servers:
        try:
            if servers.get(new, MIN_REPLICAS) == str(FENCE):
                servers.set(new, MIN_REPLICAS, 0)
            problems += [unsaved for unsaved in [servers.repoint(new, "", cut=False)] if unsaved]
        except CONNECTION_ERRORS as error:
            return _nobody(
                [*problems, f"{new} could not be made the master: {describe_error(error)}; run again"], undone=False
            )
        notes.append(Note(time.time(), f"{new} ({servers.node(new).announced}) is the master"))
        for other in seen.members:
            if other.id != new and not other.problem:
                problems += follow(servers, other.id, new)
                notes.append(Note(time.time(), f"{other.id} follows {new}"))
    return Handover(new, False, tuple(problems), tuple(notes), time.time())


def _nobody(problems: list[str], *, undone: bool) -> Handover:
    return Handover("", undone, tuple(problems), (), time.time())
