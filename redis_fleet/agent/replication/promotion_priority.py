"""Let Sentinel choose one certain replica at the next failover, and give the priorities back afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from ..messages.service import MemberView, ServiceAccess
from ..messages.usual_values import Described, UsualValues
from .agreement import master_of
from .connections import PRIORITY, Servers
from .fitness import member_of
from .roles import lift
from .view import CONNECTION_ERRORS, describe_error, view

PREFERRED, ORDINARY = 1, 100


def prefer(target: ServiceAccess, new: str, described: Described, *, elect: bool = False) -> dict[str, int]:
    """Make a member (id) the one that Sentinel promotes; returns the priorities to ``restore`` later, by id.

    Nothing is saved to a file. Where it is preferred already, the only one that may be promoted, where no Sentinel
    watches, or where it is not for Sentinel to choose (``elect``), nothing is changed; but a fence that a killed run
    left is taken away, and a priority that one left is among those to restore. Raises OSError or ReplyError after
    undoing what was changed.
    """
    seen = view(target)
    master, replicas = master_of(target, seen), [each for each in seen.members if not each.problem]
    replicas = [each for each in replicas if each.role == "replica"]
    with Servers(target) as servers:
        for name in [*(each.id for each in replicas), *([master] if member_of(seen, master) else [])]:
            lift(servers, name, described)
        usual = {each.id: _usual_priority(each, described) for each in replicas}
        if elect:
            return {each.id: usual[each.id] for each in replicas if each.priority != usual[each.id]}
        wanted = _wanted_priorities(new, replicas, described) if target.monitor else {}
        before = {name: priority for name, priority in usual.items() if name in wanted}
        try:
            for name in before:
                servers.set(name, PRIORITY, wanted[name])
        except CONNECTION_ERRORS:
            _put_back(servers, before)
            raise
    return before


def _wanted_priorities(new: str, replicas: list[MemberView], described: Described) -> dict[str, int]:
    """Return the priorities to set, by id."""
    able = [each for each in replicas if each.priority]
    rivals = [each.priority for each in able if each.id != new]
    own = next((each for each in replicas if each.id == new), None)
    if own is None:
        return {}
    left_behind = own.priority != _usual_priority(own, described)
    if not left_behind and all(own.priority < rival for rival in rivals):
        return {}
    return {**{each.id: ORDINARY for each in able if each.priority <= PREFERRED}, new: PREFERRED}


def _usual_priority(member: MemberView, described: Described) -> int:
    """Return the priority to come back to; ours was left by a run that was killed unless the description has it."""
    said = described.get(member.id, UsualValues()).priority
    return int(said) if said and member.priority == PREFERRED else member.priority


def _put_back(servers: Servers, priorities: dict[str, int]) -> None:
    for name, priority in priorities.items():
        try:
            servers.set(name, PRIORITY, priority)
        except CONNECTION_ERRORS:
            continue


def restore(target: ServiceAccess, priorities: Mapping[str, int]) -> list[str]:
    """Give members (ids) their priorities back and save that; returns what did not succeed, each a sentence.

    Sentinel lets every process that it promotes or repoints save its file: the priority of the moment is in there.
    """
    problems = []
    with Servers(target) as servers:
        for name, priority in priorities.items():
            try:
                servers.set(name, PRIORITY, priority)
                servers.rewrite(name)
            except CONNECTION_ERRORS as error:
                problems.append(f"{name} did not take its replica-priority {priority} back: {describe_error(error)}")
    return problems
