"""Which replica may become the master, judged from what was seen. Pure: what is amiss is a finding, see findings.py.

The planner, the controller of a drill or a switchover, and the machine that does it all ask here.
"""

from __future__ import annotations

from .. import engine_words
from ..messages.service import MemberView, SentinelView, ServiceAccess, ServiceView
from .agreement import majority, name_of
from .findings import Code, Finding

LAG = 16 * 1024 * 1024
"""Bytes that a replica may lack when a switchover begins. It has to take them in while all writes are refused: about
0.2 s at what one core applies. Two looks at a master under full load differ by some MB without any real lag."""

SILENCE = 3
"""Seconds; a replica tells its master every second how far it is, so one that is silent for longer is cut off."""


def member_of(seen: ServiceView, name: str) -> MemberView | None:
    """Return what was seen of a member (id)."""
    return next((member for member in seen.members if member.id == name), None)


def misplaced(replica: MemberView, master: str, follows: str) -> list[Finding]:
    """Return why a member is no replica of a master, by the name of whom it follows."""
    if replica.problem:
        return [Finding(Code.SILENT, replica.id, said=replica.problem)]
    if replica.role != engine_words.REPLICA:
        return [Finding(Code.A_MASTER_ITSELF, replica.id, master)]
    return [Finding(Code.FOLLOWS_ANOTHER, replica.id, master, follows)] if follows != master else []


def out_of_step(replica: MemberView, master: str, offset: int) -> list[Finding]:
    """Return why a replica has not got what its master has, which is at ``offset`` (bytes)."""
    if replica.loading:
        return [Finding(Code.LOADING, replica.id)]
    if not replica.link_up:
        return [Finding(Code.NOT_LINKED, replica.id, master)]
    behind = offset - replica.offset
    return [Finding(Code.BEHIND, replica.id, master, number=behind, limit=LAG)] if behind > LAG else []


def barred(replica: MemberView) -> list[Finding]:
    """Return why a member must never be promoted."""
    return [] if replica.priority else [Finding(Code.NEVER_PROMOTED, replica.id)]


def unpromotable(member: MemberView) -> list[Finding]:
    """Return why a member cannot be made the master by hand when its master is lost."""
    if member.problem:
        return [Finding(Code.SILENT, member.id, said=member.problem)]
    return [*barred(member), *([Finding(Code.LOADING, member.id)] if member.loading else [])]


def unfit(target: ServiceAccess, seen: ServiceView, old: str, new: str) -> list[Finding]:
    """Return why a member (id) cannot take over from the master (id) now."""
    replica, master = member_of(seen, new), member_of(seen, old)
    if replica is None:
        return [Finding(Code.NO_MEMBER, new, target.service)]
    if master is None:
        return [Finding(Code.MASTER_UNKNOWN, old, target.service)]
    if master.problem:
        return [Finding(Code.MASTER_SILENT, old, said=master.problem)]
    if master.role != engine_words.MASTER:
        return [Finding(Code.MASTER_IS_NONE, old, said=master.role)]
    found = misplaced(replica, old, name_of(target, replica.follows))
    if found:
        return found
    silent = next((s for place, s in master.heard.items() if name_of(target, place) == new), 0)
    cut_off = [Finding(Code.NOT_HEARD, new, old, number=silent, limit=SILENCE)] if silent > SILENCE else []
    return [*out_of_step(replica, old, master.offset), *cut_off, *barred(replica)]


def unready(target: ServiceAccess, seen: ServiceView, old: str) -> list[Finding]:
    """Return why the Sentinels would not carry out a failover from this master (id) now."""
    answering = [one for one in seen.sentinels if not one.problem]
    if len(answering) < majority(len(target.sentinels)):
        few, all_ = len(answering), len(target.sentinels)
        return [Finding(Code.TOO_FEW_SENTINELS, target.service, number=few, limit=all_)]
    return [finding for one in answering for finding in _unwilling(target, one, old)]


def _unwilling(target: ServiceAccess, one: SentinelView, old: str) -> list[Finding]:
    named = name_of(target, one.master)
    if named != old:
        return [Finding(Code.NAMES_ANOTHER, one.id, old, named)]
    if engine_words.any_of(one.flags, engine_words.DOWN | engine_words.FAILING_OVER):
        return [Finding(Code.HOLDS_FOR, one.id, old, ", ".join(one.flags))]
    return no_quorum(one)


def no_quorum(one: SentinelView) -> list[Finding]:
    """Return why a Sentinel could not authorise a failover."""
    return [] if one.quorum_ok else [Finding(Code.NO_QUORUM, one.id, said=one.quorum)]


def unaware(target: ServiceAccess, seen: ServiceView, new: str) -> list[Finding]:
    """Return which answering Sentinels would not yet choose this member (id) at a failover."""
    found = []
    for one in seen.sentinels:
        if one.problem:
            continue
        known = {name_of(target, place): priority for place, priority in one.priorities.items()}
        rivals = [priority for name, priority in known.items() if name != new and priority > 0]
        if known.get(new, 0) <= 0 or any(rival <= known[new] for rival in rivals):
            found.append(Finding(Code.NOT_PREFERRED, one.id, new, str(known.get(new, "not known"))))
    return found
