"""A switchover inside of an action: it is done on the machine that the action runs for, and looked at here or there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any

from ansible.errors import AnsibleConnectionFailure

from redis_fleet.agent.replication.connections import MAX_LAG, MIN_REPLICAS, PRIORITY
from redis_fleet.agent.replication.handover import Described
from redis_fleet.agent.replication.view import Target, spot
from redis_fleet.ansible.calls import caller, from_here
from redis_fleet.catalogue.check import value_of
from redis_fleet.model import Fleet, Service
from redis_fleet.operations import promotion, switchover
from redis_fleet.operations.ansible_control import AnsibleRoleControl
from redis_fleet.operations.interruptible import InterruptibleClient
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.ports import Client, OperationRefusedError, Say
from redis_fleet.operations.remote_client import Module, ShippedClient
from redis_fleet.operations.report import OperationReport
from redis_fleet.operations.service_access import target
from redis_fleet.operations.switchover_report import SwitchoverReport


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
    module = reaching(action, task_vars)
    client: Client = LocalClient(aim) if from_here(aim) else ShippedClient(aim, module)
    eyes = InterruptibleClient(client, interrupted or noting_interrupts())
    roles = AnsibleRoleControl(aim, described(fleet, chosen), module)
    try:
        report = switchover.run(aim, roles, eyes, say, to, measure=measure)
    except OperationRefusedError as error:
        report = SwitchoverReport(service=chosen.name, problems=(f"nothing was touched: {error}",), undone=True)
    except RuntimeError as error:
        report = SwitchoverReport(service=chosen.name, problems=(str(error),))
    except KeyboardInterrupt:
        report = SwitchoverReport(service=chosen.name, problems=("interrupted; no step was left half done",))
    return _result(aim, report)


def promote(action: Any, task_vars: Any, fleet: Fleet, service: str, to: str | None, say: Say) -> dict[str, Any]:
    """Promote a replica of a service without Sentinels whose master is down; returns the same as ``switch``."""
    aim = target(fleet, fleet.service(service))
    roles = AnsibleRoleControl(aim, {}, reaching(action, task_vars))
    try:
        report = promotion.run(aim, roles.promote, say, to)
    except RuntimeError as error:
        report = SwitchoverReport(service=service, problems=(str(error),))
    return _result(aim, report)


def _result(aim: Target, report: SwitchoverReport) -> dict[str, Any]:
    master = next((spot(node) for node in aim["members"] if node["id"] == report.new_master), "")
    return {**result_of(report, changed=report.changed), "master": master}


def result_of(report: OperationReport, *, changed: bool) -> dict[str, Any]:
    """Return an operation's report as the result of an action, which fails when the operation did."""
    result: dict[str, Any] = {"changed": changed, "report": report.to_dict()}
    return result if report.ok else {**result, "failed": True, "msg": report.failure}


def reaching(action: Any, task_vars: Any) -> Module:
    """Return what runs a module, and raises RuntimeError also where the machine was lost.

    Ansible's own error would end the action at once, with the old master fenced perhaps.
    """
    call = caller(action, task_vars)

    def reach(name: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return call(name, arguments)
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
        process.id: {name: value_of(fleet.engine, process, name) for name in (PRIORITY, MIN_REPLICAS, MAX_LAG)}
        for process in service.processes
    }
