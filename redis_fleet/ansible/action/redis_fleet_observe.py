"""Observe one machine; the request, passwords included, is made here and goes by standard input."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet import runlog
from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.runs import at_work
from redis_fleet.observe.request import request

DOCUMENTATION = """
module: redis_fleet_observe
short_description: Observe one machine
description:
  - One round trip, everything that the planner wants to know. The request, passwords included, goes by
    standard input.
options:
  ended:
    description: First wait for the last of a run that was killed, whose workers go on to the end of their task.
    type: bool
    default: false
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Everything that the planner wants to know of this machine."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the machine's answer, and ``at_work``, the runs that may still change something."""
        super().run(tmp, task_vars)
        fleet = fleet_of(task_vars)
        before = at_work(runlog.place_of(fleet)) if arguments(self, DOCUMENTATION)["ended"] else []
        asked = request(fleet, task_vars["inventory_hostname"])
        return {**result_of(self, asked, task_vars), "at_work": before}
