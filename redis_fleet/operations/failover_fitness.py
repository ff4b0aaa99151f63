"""Decisions of the drill about a view of the service: may it begin, is it whole again. Pure functions."""

from __future__ import annotations

from redis_fleet.agent import engine_words
from redis_fleet.agent.messages.service import MemberView, ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import TOO_FEW, agreed_master, counted, name_of


def refusals(target: ServiceAccess, seen: ServiceView) -> list[str]:
    """Return why the master must not be killed now, each a sentence; an empty list means that the drill may begin."""
    name = target.service
    if target.external_master:
        return [f"{name} follows a master outside this deployment: there is no master here to kill"]
    if not target.monitor or not target.sentinels:
        return [f"no Sentinel watches {name}: nothing would replace its master"]
    sentinels = [*_no_majority(target, seen), *_not_ready(seen)]
    return sentinels or _no_successor(target, seen)


def _no_majority(target: ServiceAccess, seen: ServiceView) -> list[str]:
    silent = [f"{one.id} ({one.problem})" for one in seen.sentinels if one.problem]
    total = len(seen.sentinels)
    if counted(seen).code == TOO_FEW:
        return [f"no majority of the {total} Sentinels answers; these do not: {', '.join(silent)}"]
    if not counted(seen).master:
        return [f"the Sentinels do not agree on the master: {_opinions(target, seen)}"]
    return []


def _opinions(target: ServiceAccess, seen: ServiceView) -> str:
    answered = [one for one in seen.sentinels if not one.problem]
    return ", ".join(f"{one.id} names {name_of(target, one.master)}" for one in answered)


def _not_ready(seen: ServiceView) -> list[str]:
    found = []
    for one in seen.sentinels:
        if one.problem:
            continue
        if engine_words.any_of(one.flags, engine_words.FAILING_OVER):
            found.append(f"{one.id} says that a failover is in progress")
        if engine_words.any_of(one.flags, engine_words.DOWN):
            found.append(f"{one.id} holds the master for down already")
        if not one.quorum_ok:
            found.append(f"{one.id} could not authorise a failover: {one.quorum}")
    return found


def _no_successor(target: ServiceAccess, seen: ServiceView) -> list[str]:
    place = agreed_master(seen)
    master = member_at(target, seen, place)
    if not master:
        return [f"the Sentinels name {place} as the master, which is no process of {target.service}"]
    if master.problem or master.role != "master":
        return [f"{master.id} is named as the master but is none: {master.problem or master.role}"]
    linked = [member for member in seen.members if member.follows == place and member.link_up]
    if not any(member.priority > 0 for member in linked):
        return [f"no replica that may be promoted has its link to {master.id} up"]
    return []


def member_at(target: ServiceAccess, seen: ServiceView, place: str) -> MemberView | None:
    """Return the view of the member at ``address:port``."""
    name = name_of(target, place)
    return next((member for member in seen.members if member.id == name), None)


def follows(target: ServiceAccess, seen: ServiceView, member: str, master: str) -> bool:
    """Whether a member (id) is a linked replica of the master (id)."""
    place = next((str(node.endpoint) for node in target.members if node.id == master), master)
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
