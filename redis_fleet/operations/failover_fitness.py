"""Decisions of the drill about a view of the service: may it begin, is it whole again. Pure functions."""

from __future__ import annotations

from redis_fleet.agent import engine_words
from redis_fleet.agent.messages.service import MemberView, ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import TOO_FEW, agreed_master, counted, name_of
from redis_fleet.agent.replication.findings import Code, Finding, sentences
from redis_fleet.agent.replication.fitness import barred, no_quorum


def refusals(target: ServiceAccess, seen: ServiceView) -> list[str]:
    """Return why the master must not be killed now, each a sentence; an empty list means that the drill may begin."""
    return sentences(hindrances(target, seen))


def hindrances(target: ServiceAccess, seen: ServiceView) -> list[Finding]:
    """Return what keeps the Sentinels from replacing the master now."""
    if target.external_master:
        return [Finding(Code.MASTER_OUTSIDE, target.service)]
    return not_changeable(target, seen) or _no_successor(target, seen)


def not_changeable(target: ServiceAccess, seen: ServiceView) -> list[Finding]:
    """Return why Sentinel could not change the master now, whoever takes over."""
    if not target.monitor or not target.sentinels:
        return [Finding(Code.UNWATCHED, target.service)]
    return [*_no_majority(target, seen), *_not_ready(seen)] or _no_master(target, seen)


def _no_majority(target: ServiceAccess, seen: ServiceView) -> list[Finding]:
    verdict, total = counted(seen), len(seen.sentinels)
    if verdict.code == TOO_FEW:
        silent = [f"{one.id} ({one.problem})" for one in seen.sentinels if one.problem]
        return [Finding(Code.NO_MAJORITY, target.service, said=", ".join(silent), limit=total)]
    return [] if verdict.master else [Finding(Code.NOT_AGREED, target.service, said=_opinions(target, seen))]


def _opinions(target: ServiceAccess, seen: ServiceView) -> str:
    answered = [one for one in seen.sentinels if not one.problem]
    return ", ".join(f"{one.id} names {name_of(target, one.master)}" for one in answered)


def _not_ready(seen: ServiceView) -> list[Finding]:
    found = []
    for one in seen.sentinels:
        if one.problem:
            continue
        if engine_words.any_of(one.flags, engine_words.FAILING_OVER):
            found.append(Finding(Code.FAILING_OVER, one.id))
        if engine_words.any_of(one.flags, engine_words.DOWN):
            found.append(Finding(Code.HOLDS_FOR_DOWN, one.id))
        found += no_quorum(one)
    return found


def _no_master(target: ServiceAccess, seen: ServiceView) -> list[Finding]:
    place = agreed_master(seen)
    master = member_at(target, seen, place)
    if not master:
        return [Finding(Code.NOT_A_MEMBER_NAMED, target.service, said=place)]
    if master.problem or master.role != engine_words.MASTER:
        return [Finding(Code.NAMED_IS_NONE, master.id, said=master.problem or master.role)]
    return []


def _no_successor(target: ServiceAccess, seen: ServiceView) -> list[Finding]:
    place = agreed_master(seen)
    linked = [member for member in seen.members if member.follows == place and member.link_up]
    return [] if any(not barred(member) for member in linked) else [Finding(Code.NO_SUCCESSOR, name_of(target, place))]


def member_at(target: ServiceAccess, seen: ServiceView, place: str) -> MemberView | None:
    """Return the view of the member at ``address:port``."""
    name = name_of(target, place)
    return next((member for member in seen.members if member.id == name), None)


def follows(target: ServiceAccess, seen: ServiceView, member: str, master: str) -> bool:
    """Whether a member (id) is a linked replica of the master (id)."""
    place = next((str(node.announced) for node in target.members if node.id == master), master)
    return any(
        one.id == member and one.role == "replica" and one.follows == place and one.link_up for one in seen.members
    )


def disagreements(target: ServiceAccess, seen: ServiceView, master: str) -> list[str]:
    """Return what is not yet as it should be under the new master (id), each a sentence."""
    found = []
    for sentinel in seen.sentinels:
        if sentinel.problem:
            found.append(f"{sentinel.id} does not say who the master is: {sentinel.problem}")
        elif name_of(target, sentinel.master) != master:
            found.append(f"{sentinel.id} names {name_of(target, sentinel.master)} as the master, not {master}")
    others = [node.id for node in target.members if node.id != master]
    return found + [
        f"{name} is not a linked replica of {master}" for name in others if not follows(target, seen, name, master)
    ]


def failover_ended(target: ServiceAccess, seen: ServiceView, master: str) -> bool:
    """Whether every Sentinel that answers names the new master (id) and leads no failover any more."""
    answering = [one for one in seen.sentinels if not one.problem]
    return all(
        name_of(target, one.master) == master and not engine_words.any_of(one.flags, engine_words.FAILING_OVER)
        for one in answering
    )
