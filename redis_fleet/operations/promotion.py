"""A replica promoted where no Sentinel watches and the master is lost: nobody writes, and nothing is measured."""

from __future__ import annotations

from collections.abc import Callable

from redis_fleet.agent.messages.handover import Handover
from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.operations.ports import Say, TimelineEvent
from redis_fleet.operations.switchover_report import SwitchoverReport

Promote = Callable[[str], Handover]
"""Promotes a member (id; empty: the one with the newest data), from a machine; raises RuntimeError."""


def run(target: ServiceAccess, promote: Promote, say: Say, to: str | None = None) -> SwitchoverReport:
    """Promote the process on a machine, or one by its id, and report it; raises what ``promote`` raises."""
    wanted = [node.id for node in target.members if to in (node.machine, node.id)]
    outcome = promote(wanted[0] if wanted else to or "")
    notes = outcome.notes
    events = [TimelineEvent(round((note.time - notes[0].time) * 1000), note.text, "step") for note in notes]
    for event in events:
        say(event)
    return SwitchoverReport(
        service=target.service,
        new_master=outcome.master,
        undone=outcome.undone,
        problems=outcome.problems,
        timeline=tuple(events),
    )
