"""Change running processes of a machine: directives, passwords, what Sentinels watch; nothing is restarted."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import change_request

DOCUMENTATION = """
module: redis_fleet_change
short_description: Change the running processes of a machine
description:
  - One round trip for all steps that the plan has for this machine in one stage. It needs
    redis_fleet_planned.
options:
  stage:
    description: The stage of the plan.
    type: str
    required: true
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """All steps of a stage at once."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Send the orders of the plan, secrets filled in."""
        super().run(tmp, task_vars)
        fleet, machine = fleet_of(task_vars), task_vars["inventory_hostname"]
        wanted = (arguments(self, DOCUMENTATION)["stage"], machine)
        steps = [
            each for each in task_vars["redis_fleet_planned"]["steps"] if (each["stage"], each["machine"]) == wanted
        ]
        asked = change_request(fleet, machine, steps, dry=bool(self._task.check_mode))
        result = result_of(self, asked, task_vars)
        if self._task.diff and not result.get("failed"):
            result["diff"] = [_diff(step) for step in steps if step["changes"]]
        return result


def _diff(step: dict[str, Any]) -> dict[str, str]:
    """Return the changes of a step as Ansible shows them; the plan has masked every secret."""
    sides = {
        side: "".join(f"{change['directive']} {change[key]}\n" for change in step["changes"])
        for side, key in (("before", "found"), ("after", "wanted"))
    }
    return {**sides, "before_header": step["process"], "after_header": step["process"]}
