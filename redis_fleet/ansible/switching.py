"""A switchover inside of an action, and reports as the results of actions."""

from __future__ import annotations

from typing import Any

from redis_fleet.ansible.calls import reaching
from redis_fleet.model import Fleet
from redis_fleet.operations.master_change import master_place, switch_over
from redis_fleet.operations.ports import Say
from redis_fleet.operations.report import OperationReport


def switch(action: Any, task_vars: Any, fleet: Fleet, service: str, to: str | None, say: Say) -> dict[str, Any]:
    """Switch a service over to a machine or process (id; None: the fittest); returns the result of an action.

    ``report`` is a SwitchoverReport as a dict, ``master`` the new master's ``address:port`` (empty: none was promoted),
    ``changed`` whether there is a new master; ``failed`` and ``msg`` stand where the report is not ok.
    """
    chosen = fleet.service(service)
    report = switch_over(fleet, chosen, to, reaching(action, task_vars), say)
    return {**result_of(report, changed=report.changed), "master": master_place(chosen, report)}


def result_of(report: OperationReport, *, changed: bool) -> dict[str, Any]:
    """Return an operation's report as the result of an action, which fails when the operation did."""
    result: dict[str, Any] = {"changed": changed, "report": report.to_dict()}
    return result if report.ok else {**result, "failed": True, "msg": report.failure}
