"""Do one step of the rolling part of a plan: restart, switch over, take out of service, forget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.calls import caller
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import emit, tell
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import observations
from redis_fleet.ansible.requests import change_request, decommission_request, restart_request
from redis_fleet.ansible.switching import switch
from redis_fleet.model import Fleet, Service
from redis_fleet.observe.facts import Observed, observed
from redis_fleet.operations.manual_master import note
from redis_fleet.plan.master import members

Result = dict[str, Any]

DOCUMENTATION = """
module: redis_fleet_step
short_description: Do one step of a rolling change
description:
  - It runs on the machine of the step; nothing else of the deployment is touched meanwhile. It needs
    redis_fleet_planned and redis_fleet_observed.
options:
  number:
    description: The number of the step in the plan, from 1.
    type: int
    required: true
  timeout:
    description: How long each stop and each start may take, in seconds.
    type: float
    required: true
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Does what kind of step it is."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module that the step needs; fails with its words."""
        super().run(tmp, task_vars)
        given = arguments(self, DOCUMENTATION)
        fleet = fleet_of(task_vars)
        seen = observed(observations(fleet, task_vars["hostvars"]))
        step = task_vars["redis_fleet_planned"]["steps"][given["number"] - 1]
        emit("step", number=step["number"], how=step["how"], what=step["what"], machine=step["machine"])
        result = self._do(fleet, seen, step, given["timeout"], task_vars)
        if self._task.diff and step["changes"] and not result.get("failed"):
            before, after = (
                "".join(f"{change['directive']} {change[key]}\n" for change in step["changes"])
                for key in ("found", "wanted")
            )
            result["diff"] = [{"before": before, "after": after, "before_header": step["what"]}]
        return result

    def _do(self, fleet: Fleet, seen: Observed, step: Mapping[str, Any], timeout: float, task_vars: Any) -> Result:
        if step["how"] == "SWITCHOVER":
            return self._switch(_with_leaving(fleet, step["service"], seen), seen, step, task_vars)
        if step["how"] == "RESTART":
            process = next(each for each in fleet.on(step["machine"]) if each.name == step["process"])
            running = []
            if step["service"]:
                everyone = members(fleet.service(step["service"]), seen)
                running = [each for each in everyone if seen.of(each).answers or each in fleet.processes]
            asked = restart_request(fleet, running, process, step, timeout, dry=bool(self._task.check_mode))
            return result_of(self, asked, task_vars)
        if step["how"] == "STOP":
            return result_of(self, decommission_request(seen, step), task_vars)
        orders = change_request(fleet, step["machine"], [step], dry=bool(self._task.check_mode))
        return result_of(self, orders, task_vars)

    def _switch(self, fleet: Fleet, seen: Observed, step: Mapping[str, Any], task_vars: Any) -> Result:
        if self._task.check_mode:
            return {"changed": True}
        result = dict(switch(self, task_vars, fleet, step["service"], step["to"], self._say))
        if result["changed"] and fleet.service(step["service"]).watch is None:
            self._remember(fleet, seen, step, result["master"], task_vars)
        return result

    def _remember(self, fleet: Fleet, seen: Observed, step: Mapping[str, Any], master: str, task_vars: Any) -> None:
        """Without Sentinels nobody else knows who was made the master."""
        service = step["service"]
        known = [machine.records[service] for machine in seen.machines.values() if service in machine.records]
        caller(self, task_vars)(note(fleet, step["machine"], service, master, known))

    def _say(self, event: Any) -> None:
        tell(self._display, event)


def _with_leaving(fleet: Fleet, name: str, seen: Observed) -> Fleet:
    """Return the fleet in which a service still has the processes that are to leave it: one of them is its master."""

    def whole(service: Service) -> Service:
        return replace(service, processes=members(service, seen)) if service.name == name else service

    return replace(fleet, services=tuple(whole(service) for service in fleet.services))
