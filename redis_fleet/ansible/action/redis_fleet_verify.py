"""Verify services as a client would see them: from the controller if it reaches them, else from this machine.

What listens on a socket alone is looked at on its own machine before, all of them at once, and judged with the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.messages.client import Check, Verify
from redis_fleet.agent.replication.verification import outcome, verify
from redis_fleet.ansible.agent import AgentFailedError
from redis_fleet.ansible.calls import caller
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import emit
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.operations.announced_places import announced_checks
from redis_fleet.operations.clients import from_here
from redis_fleet.topology.service_access import target

DOCUMENTATION = """
module: redis_fleet_verify
short_description: Verify services as a client would see them
description:
  - From the controller if it reaches them, else from this machine. A canary key, written and removed
    again, is all that it changes.
options:
  services:
    description: The names of the services, all of them when empty.
    type: list
    elements: str
    default: []
  sockets:
    description:
      - Look at those that listen on a socket of this machine alone, and at no other. What was found is judged by the
        task that verifies all.
    type: bool
    default: false
"""
_FOUND, _REACHED = "redis_fleet_on_sockets", "redis_fleet_reached"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Verifies one service after the other."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return every check; fails when one of them is not ok, unless it only looks at this machine's sockets."""
        super().run(tmp, task_vars)
        fleet, given = fleet_of(task_vars), arguments(self, DOCUMENTATION)
        wanted = [fleet.service(name) for name in given["services"]] or list(fleet.services)
        if given["sockets"]:
            return {"changed": False, "found": self._on_sockets(fleet, wanted, task_vars)}
        checks = []
        for service in wanted:
            found = [check.to_json() for check in self._checks(fleet, service, task_vars)]
            checks += [{"service": service.name, **check} for check in found]
            emit("checked", service=service.name, checks=found)
        bad = [f"{each['subject']}: {each['check']}: {each['seen']}" for each in checks if not each["ok"]]
        result: dict[str, Any] = {"changed": False, "checks": checks, "msg": f"{len(checks)} checks, all ok"}
        return {**result, "failed": True, "msg": "\n".join(bad)} if bad else result

    def _on_sockets(self, fleet: Fleet, wanted: Iterable[Service], task_vars: Any) -> dict[str, Any]:
        """Return the checks of the services on this machine's sockets, by name; where nobody can check, one says so."""
        found = {}
        for service in wanted:
            process = service.on_socket
            if process is None or process.machine != task_vars["inventory_hostname"]:
                continue
            try:
                made = caller(self, task_vars)(Verify(target(fleet, service))).checks
            except AgentFailedError as error:
                made = (_unknown(process, error.why),)
            found[service.name] = [check.to_json() for check in made]
        return found

    def _checks(self, fleet: Fleet, service: Service, task_vars: Any) -> Iterable[Check]:
        if service.on_socket:
            return _found_there(service, service.on_socket, task_vars["hostvars"][service.on_socket.machine])
        aim = target(fleet, service)
        made = verify(aim) if from_here(aim) else caller(self, task_vars)(Verify(aim)).checks
        answers = {machine: task_vars["hostvars"][machine].get(_REACHED, {}) for machine in fleet.machines}
        return *made, *announced_checks(fleet, service, answers)


def _found_there(service: Service, process: Process, variables: Mapping[str, Any]) -> list[Check]:
    looked: Mapping[str, Any] = variables.get(_FOUND) or {}
    if service.name not in looked.get("found", {}):
        return [_unknown(process, " ".join(str(looked.get("msg", "it was not looked at")).split()))]
    return [Check.from_json(each) for each in looked["found"][service.name]]


def _unknown(process: Process, why: str) -> Check:
    return outcome("answers", process.id, False, f"{process.machine}: {why}", "PONG")
