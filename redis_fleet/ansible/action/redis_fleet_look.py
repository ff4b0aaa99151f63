"""Look at one machine; the request, passwords included, is made here and goes by standard input."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.observe.request import request


class ActionModule(ActionBase):  # type: ignore[misc]
    """One round trip: everything that the planner wants to know of this machine."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module of the same name with the request for this machine."""
        super().run(tmp, task_vars)
        arguments = request(fleet_of(task_vars), task_vars["inventory_hostname"])
        return dict(self._execute_module(module_args=arguments, task_vars=task_vars))
