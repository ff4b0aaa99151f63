"""Turn what was seen into one row a process, and what is wrong although they run; contacts nothing."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import observations
from redis_fleet.observe.facts import observed
from redis_fleet.observe.health import deployment_troubles
from redis_fleet.observe.status import rows

DOCUMENTATION = """
module: redis_fleet_status
short_description: Turn what was observed into one row a process, and say what is wrong
description:
  - Contacts nothing. It needs redis_fleet_observed.
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """For ``status``."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the rows and the troubles."""
        super().run(tmp, task_vars)
        arguments(self, DOCUMENTATION)
        fleet = fleet_of(task_vars)
        seen = observed(observations(fleet, task_vars["hostvars"]))
        wrong = [asdict(each) for each in deployment_troubles(fleet, seen, time.time())]
        return {"changed": False, "status": rows(fleet, seen), "troubles": wrong}
