"""Start the processes of some stages on a machine and wait until they are ready."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import start_request


class ActionModule(ActionBase):  # type: ignore[misc]
    """One round trip, whatever the number of processes."""

    _VALID_ARGS = frozenset({"stages", "timeout"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module of the same name with the processes that the plan names for these stages."""
        super().run(tmp, task_vars)
        machine, stages = task_vars["inventory_hostname"], self._task.args["stages"]
        steps = task_vars["redis_fleet_planned"]["steps"]
        mine = [step for step in steps if step["stage"] in stages and step["machine"] == machine]
        arguments = start_request(fleet_of(task_vars), machine, mine)
        arguments["timeout"] = float(self._task.args["timeout"])
        return dict(self._execute_module(module_args=arguments, task_vars=task_vars))
