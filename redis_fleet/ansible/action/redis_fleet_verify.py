"""Verify services as a client would see them: from the controller if it reaches them, else from this machine."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from redis_fleet.agent.endpoint import place_of
from redis_fleet.agent.messages.client import Verify
from redis_fleet.agent.messages.host_facts import Reach
from redis_fleet.agent.replication.verification import verify
from redis_fleet.ansible.calls import caller
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import emit
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.model import Fleet
from redis_fleet.operations.announced_places import announced_checks, announced_places
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
  asked:
    description:
      - The name of the variable with what was registered of this very module on all machines. Without it,
        the machine itself only tries whether it reaches what the processes announce.
    type: str
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Verifies one service after the other."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return what this machine reaches, or every check; then it fails when one of them is not ok."""
        super().run(tmp, task_vars)
        fleet, given = fleet_of(task_vars), arguments(self, DOCUMENTATION)
        wanted = given["services"] or [service.name for service in fleet.services]
        if not given["asked"]:
            return self._reach(fleet, task_vars)
        answers = {machine: task_vars["hostvars"][machine].get(given["asked"], {}) for machine in fleet.machines}
        checks = []
        for name in wanted:
            aim = target(fleet, fleet.service(name))
            made = verify(aim) if from_here(aim) else caller(self, task_vars)(Verify(aim)).checks
            found = [check.to_json() for check in (*made, *announced_checks(fleet, fleet.service(name), answers))]
            checks += [{"service": name, **check} for check in found]
            emit("checked", service=name, checks=found)
        bad = [f"{each['subject']}: {each['check']}: {each['seen']}" for each in checks if not each["ok"]]
        result: dict[str, Any] = {"changed": False, "checks": checks, "msg": f"{len(checks)} checks, all ok"}
        return {**result, "failed": True, "msg": "\n".join(bad)} if bad else result

    def _reach(self, fleet: Fleet, task_vars: Any) -> dict[str, Any]:
        """Try what is announced; a machine that cannot be asked keeps the others from nothing."""
        places = announced_places(fleet)
        if not places:
            return {"changed": False, "reached": {}}
        try:
            made = caller(self, task_vars)(Reach(places)).reached
        except (AnsibleError, RuntimeError) as error:
            return {"changed": False, "error": " ".join(str(error).split())}
        return {"changed": False, "reached": {place_of(each.address, each.port): each.state for each in made}}
