"""Which replica may become the master, judged from a view. Pure; asked by the controller and again on the machine."""

from __future__ import annotations

from .. import engine_words
from ..messages.service import MemberView, ServiceAccess, ServiceView
from .agreement import majority, name_of

LAG = 16 * 1024 * 1024
"""Bytes that a replica may lack when a switchover begins. It has to take them in while all writes are refused: about
0.2 s at what one core applies. Two looks at a master under full load differ by some MB without any real lag."""

SILENCE = 3
"""Seconds; a replica tells its master every second how far it is, so one that is silent for longer is cut off."""


def member_of(seen: ServiceView, name: str) -> MemberView | None:
    """Return what was seen of a member (id)."""
    return next((member for member in seen.members if member.id == name), None)


def unfit(target: ServiceAccess, seen: ServiceView, old: str, new: str) -> list[str]:
    """Return why a member (id) cannot take over from the master (id) now, each a sentence that says what to do."""
    replica, master = member_of(seen, new), member_of(seen, old)
    if replica is None:
        return [f"{new} is no process of {target.service}; name one that is"]
    if master is None or master.problem or master.role != "master":
        why = (master.problem or f"it is a {master.role}") if master else f"it is not of {target.service}"
        return [f"{old} does not act as the master ({why}); run again when one does"]
    if replica.problem:
        return [f"{new} does not answer: {replica.problem}; start it or repair the way to it"]
    if replica.role != "replica" or name_of(target, replica.follows) != old:
        what = f"follows {name_of(target, replica.follows)}" if replica.role == "replica" else "is a master itself"
        return [f"{new} is no replica of {old}, it {what}; make it one (REPLICAOF) and let it synchronise"]
    found = []
    if replica.loading:
        found.append(f"{new} is still loading its data; wait until it has")
    elif not replica.link_up:
        found.append(f"{new} has no link to {old} or is still synchronising; wait until it is in step")
    elif master.offset - replica.offset > LAG:
        behind = master.offset - replica.offset
        found.append(f"{new} is {behind:,} bytes behind {old}, more than {LAG:,}; wait until it has caught up")
    silence = next((s for place, s in master.heard.items() if name_of(target, place) == new), 0)
    if silence > SILENCE:
        found.append(f"{old} has not heard of {new} for {silence} s; repair the way between them")
    if replica.priority == 0:
        found.append(f"{new} must never be promoted (replica-priority 0); choose another or change its priority")
    return found


def unready(target: ServiceAccess, seen: ServiceView, old: str) -> list[str]:
    """Return why the Sentinels would not carry out a failover from this master (id) now, each a sentence."""
    answering = [one for one in seen.sentinels if not one.problem]
    if len(answering) < majority(len(target.sentinels)):
        return [f"only {len(answering)} of {len(target.sentinels)} Sentinels answer, that is no majority"]
    found = []
    for one in answering:
        if name_of(target, one.master) != old:
            found.append(f"{one.id} names {name_of(target, one.master)} as the master, not {old}")
        elif engine_words.any_of(one.flags, engine_words.DOWN | engine_words.FAILING_OVER):
            found.append(f"{one.id} holds {old} for {', '.join(one.flags)}")
        elif not one.quorum_ok:
            found.append(f"{one.id} could not authorise a failover: {one.quorum}")
    return found


def unaware(target: ServiceAccess, seen: ServiceView, new: str) -> list[str]:
    """Return which answering Sentinels would not yet choose this member (id) at a failover, each a sentence."""
    found = []
    for one in seen.sentinels:
        if one.problem:
            continue
        known = {name_of(target, place): priority for place, priority in one.priorities.items()}
        rivals = [priority for name, priority in known.items() if name != new and priority > 0]
        if known.get(new, 0) <= 0 or any(rival <= known[new] for rival in rivals):
            found.append(f"{one.id} does not prefer {new} yet (priority {known.get(new, 'not known')})")
    return found
