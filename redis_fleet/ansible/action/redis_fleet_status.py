"""Turn what was seen into one row a process; contacts nothing."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import observations
from redis_fleet.observe.facts import observed
from redis_fleet.observe.status import rows

DOCUMENTATION = """
module: redis_fleet_status
short_description: Turn what was observed into one row a process
description:
  - Contacts nothing. It needs redis_fleet_observed.
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """For ``status``."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the rows."""
        super().run(tmp, task_vars)
        arguments(self, DOCUMENTATION)
        fleet = fleet_of(task_vars)
        answers = observations(fleet, task_vars["hostvars"])
        return {"changed": False, "status": rows(fleet, observed(answers))}
