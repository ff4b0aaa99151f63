"""Promote a replica by hand where no Sentinel watches: the old master is down and nothing else will do it."""

from __future__ import annotations

import time

from ..messages.handover import Handover, Note
from ..messages.service import ServiceAccess, ServiceView
from .agreement import acting, name_of
from .connections import MIN_REPLICAS, Servers
from .fitness import member_of
from .handover import FENCE, follow
from .view import TROUBLE, tell, view


def choose(target: ServiceAccess, seen: ServiceView, wanted: str) -> tuple[str, list[str]]:
    """Return which member (id) to promote and why that must not be, each a sentence; ``wanted`` empty: the newest data.

    Among replicas with the same data the lowest priority number is taken, then the order of the description.
    """
    why = _not_needed(target, seen)
    if why:
        return "", [why]
    fit = [each for each in seen.members if not each.problem and each.priority and not each.loading]
    one = member_of(seen, wanted)
    if wanted and one not in fit:
        said = (one.problem or "loading, or never to be promoted") if one else "it is no process of the service"
        return wanted, [f"{wanted} cannot be promoted ({said}); choose another or repair it"]
    if not fit:
        return "", [f"no replica of {target.service} answers that may be promoted; start one"]
    return wanted or max(fit, key=lambda each: (each.offset, -each.priority)).id, []


def _not_needed(target: ServiceAccess, seen: ServiceView) -> str:
    name = target.service
    if target.monitor:
        return f"Sentinels watch {name} and promote a replica themselves; use switchover where the master runs"
    if target.external_master:
        return f"{name} follows a master outside this deployment; take that out of the description first"
    alive = acting(seen)
    if alive:
        return f"{', '.join(alive)} answers as a master; use switchover, which loses nothing"
    linked = [each for each in seen.members if not each.problem and each.link_up]
    if linked:
        said = ", ".join(f"{each.id} is linked to {name_of(target, each.follows)}" for each in linked)
        return f"the master is not down: {said}; repair the way from here to it, then use switchover"
    return ""


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
        except TROUBLE as error:
            return _nobody([*problems, f"{new} could not be made the master: {tell(error)}; run again"], undone=False)
        notes.append(Note(time.time(), f"{new} ({servers.node(new).endpoint}) is the master"))
        for other in seen.members:
            if other.id != new and not other.problem:
                problems += follow(servers, other.id, new)
                notes.append(Note(time.time(), f"{other.id} follows {new}"))
    return Handover(new, False, tuple(problems), tuple(notes), time.time())


def _nobody(problems: list[str], *, undone: bool) -> Handover:
    return Handover("", undone, tuple(problems), (), time.time())
