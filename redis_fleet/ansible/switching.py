"""A switchover inside of an action: the hands work on the machine that the action runs for, the eyes here or there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from types import FrameType
from typing import Any, TypeVar

from ansible.errors import AnsibleConnectionFailure

from redis_fleet.agent.codec import Message, Request
from redis_fleet.agent.messages.handover import (
    Described,
    HandOver,
    Handover,
    Prefer,
    Promote,
    RestorePriorities,
    UsualValues,
)
from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.agent.replication.connections import MAX_LAG, MIN_REPLICAS, PRIORITY
from redis_fleet.ansible.calls import caller, from_here
from redis_fleet.catalogue.check import value_of
from redis_fleet.model import Fleet, Service
from redis_fleet.operations.interruptible import InterruptibleClient
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.ports import Client, Say, TimelineEvent
from redis_fleet.operations.remote_client import Machine, ShippedClient
from redis_fleet.operations.service_access import target
from redis_fleet.operations.switchover import run
from redis_fleet.operations.switchover_report import SwitchoverRefusedError, SwitchoverReport

A = TypeVar("A", bound=Message)


def switch(
    action: Any,
    task_vars: Any,
    fleet: Fleet,
    service: Service | str,
    to: str | None,
    say: Say,
    measure: bool = True,
    interrupted: threading.Event | None = None,
) -> dict[str, Any]:
    """Switch a service over to a machine or process (id; None: the fittest); returns the result of an action.

    ``report`` is a SwitchoverReport as a dict, ``master`` the new master's ``address:port`` (empty: none was promoted),
    ``changed`` whether there is a new master; ``failed`` and ``msg`` stand where the report is not ok. A refusal is a
    report too, with ``undone`` true. ``interrupted`` is set by whoever handles signals; without it Ctrl-C and SIGTERM
    are handled here, for the rest of this process.
    """
    chosen = fleet.service(service) if isinstance(service, str) else service
    aim = target(fleet, chosen)
    machine = reaching(action, task_vars)
    client: Client = LocalClient(aim) if from_here(aim) else ShippedClient(aim, machine)
    eyes = InterruptibleClient(client, interrupted or noting_interrupts())
    try:
        report = run(aim, MachineHands(fleet, chosen, machine), eyes, say, to, measure=measure)
    except SwitchoverRefusedError as error:
        report = failed(chosen.name, f"nothing was touched: {error}", undone=True)
    except RuntimeError as error:
        report = failed(chosen.name, str(error), undone=False)
    except KeyboardInterrupt:
        report = failed(chosen.name, "interrupted; no step was left half done", undone=False)
    return _result(aim, report)


def promote(action: Any, task_vars: Any, fleet: Fleet, service: str, to: str | None, say: Say) -> dict[str, Any]:
    """Promote a replica of a service without Sentinels whose master is down; returns the same as ``switch``."""
    aim = target(fleet, fleet.service(service))
    wanted = [node.id for node in aim.members if to in (node.machine, node.id)]
    try:
        outcome = reaching(action, task_vars)(Promote(aim, wanted[0] if wanted else to or ""))
    except RuntimeError as error:
        return _result(aim, failed(service, str(error), undone=False))
    notes = outcome.notes
    events = [TimelineEvent(round((note.time - notes[0].time) * 1000), note.text, "step") for note in notes]
    for event in events:
        say(event)
    report = failed(service, *outcome.problems, undone=outcome.undone)
    return _result(aim, replace(report, new_master=outcome.master, timeline=tuple(events)))


def _result(aim: ServiceAccess, report: SwitchoverReport) -> dict[str, Any]:
    changed = report.new_master not in ("", report.old_master)
    master = next((str(node.endpoint) for node in aim.members if node.id == report.new_master), "")
    result: dict[str, Any] = {"changed": changed, "report": report.to_dict(), "master": master}
    return result if report.ok else {**result, "failed": True, "msg": "\n".join(report.problems)}


def failed(service: str, *problems: str, undone: bool) -> SwitchoverReport:
    """Return the report of a change that nothing is known of but its problems, if there are any."""
    return SwitchoverReport(
        ok=not problems,
        service=service,
        old_master="",
        new_master="",
        write_gap_ms=None,
        acknowledged=None,
        acknowledged_lost=None,
        refused=None,
        undone=undone,
        problems=problems,
        timeline=(),
    )


def reaching(action: Any, task_vars: Any) -> Machine:
    """Return what asks the machine, and raises RuntimeError also where it was lost.

    Ansible's own error would end the action at once, with the old master fenced perhaps.
    """
    call = caller(action, task_vars)

    def reach(request: Request[A], /) -> A:
        try:
            return call(request)
        except AnsibleConnectionFailure as error:
            raise RuntimeError(f"{task_vars['inventory_hostname']} cannot be reached any more: {error}") from error

    return reach


def noting_interrupts() -> threading.Event:
    """Return what is set by Ctrl-C or SIGTERM, which must not end this process before it has tidied up.

    An interrupted run sends its workers SIGINT and then SIGTERM; by default they end at once.
    """
    interrupted = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        interrupted.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    return interrupted


def described(fleet: Fleet, service: Service) -> Described:
    """Return what the description says for the directives that a switchover changes for the time, by process id."""
    return {
        process.id: UsualValues(*(value_of(fleet.engine, process, name) for name in (PRIORITY, MIN_REPLICAS, MAX_LAG)))
        for process in service.processes
    }


class MachineHands:
    """The ``Hands`` of a switchover, on one machine."""

    def __init__(self, fleet: Fleet, service: Service, machine: Machine) -> None:
        """Keep what each request needs."""
        self._aim, self._machine = target(fleet, service), machine
        self._described = described(fleet, service)

    def prefer(self, new: str) -> dict[str, int]:
        """Make Sentinel prefer a member."""
        return dict(self._machine(Prefer(self._aim, new, self._described)).before)

    def hand_over(self, old: str, new: str) -> Handover:
        """Hand the role over, all of it in one request."""
        return self._machine(HandOver(self._aim, old, new, self._described))

    def restore(self, priorities: Mapping[str, int]) -> list[str]:
        """Put priorities back."""
        return list(self._machine(RestorePriorities(self._aim, priorities)).problems)
