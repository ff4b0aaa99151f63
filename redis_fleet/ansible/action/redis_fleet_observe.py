"""Observe one machine; the request, passwords included, is made here and goes by standard input."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet import runlog
from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.runs import at_work
from redis_fleet.observe.request import request


class ActionModule(ActionBase):  # type: ignore[misc]
    """One round trip: everything that the planner wants to know of this machine.

    With ``ended`` it first waits for the last of a run that was killed: its workers go on to the end of their task.
    """

    _VALID_ARGS = frozenset({"ended"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the machine's answer, and ``at_work``, the runs that may still change something."""
        super().run(tmp, task_vars)
        fleet = fleet_of(task_vars)
        before = at_work(runlog.place_of(fleet)) if self._task.args.get("ended") else []
        asked = request(fleet, task_vars["inventory_hostname"])
        return {**result_of(self, asked, task_vars), "at_work": before}
