"""Try from one machine what the processes of all machines announce."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from redis_fleet.agent.endpoint import place_of
from redis_fleet.agent.messages.host_facts import Reach
from redis_fleet.ansible.calls import caller
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.operations.announced_places import announced_places

DOCUMENTATION = """
module: redis_fleet_reach
short_description: Try from one machine what the processes of all machines announce
description:
  - A connection to every announced address, closed at once. A machine that cannot be asked says so, and fails
    nothing. What was found is judged by the task that verifies all.
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Which announced addresses this machine reaches."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return ``reached``, the state by place, or ``error``, why this machine could not be asked."""
        super().run(tmp, task_vars)
        arguments(self, DOCUMENTATION)
        try:
            made = caller(self, task_vars)(Reach(announced_places(fleet_of(task_vars)))).reached
        except (AnsibleError, RuntimeError) as error:
            return {"changed": False, "error": " ".join(str(error).split())}
        return {"changed": False, "reached": {place_of(each.address, each.port): each.state for each in made}}
