"""Verify services as a client would see them: from the controller if it reaches them, else from this machine."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.messages.client import Verify
from redis_fleet.agent.replication.verification import verify
from redis_fleet.ansible.calls import caller
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import emit
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.operations.clients import from_here
from redis_fleet.operations.service_access import target

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
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Verifies one service after the other."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return every check; fails when one of them is not ok."""
        super().run(tmp, task_vars)
        fleet = fleet_of(task_vars)
        wanted = arguments(self, DOCUMENTATION)["services"] or [service.name for service in fleet.services]
        checks = []
        for name in wanted:
            aim = target(fleet, fleet.service(name))
            made = verify(aim) if from_here(aim) else caller(self, task_vars)(Verify(aim)).checks
            found = [check.to_json() for check in made]
            checks += [{"service": name, **check} for check in found]
            emit("checked", service=name, checks=found)
        bad = [f"{each['subject']}: {each['check']}: {each['seen']}" for each in checks if not each["ok"]]
        result: dict[str, Any] = {"changed": False, "checks": checks, "msg": f"{len(checks)} checks, all ok"}
        return {**result, "failed": True, "msg": "\n".join(bad)} if bad else result
