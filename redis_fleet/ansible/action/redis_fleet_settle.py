"""Wait until a machine's processes are in step with the others, and look at it."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import settle_request


class ActionModule(ActionBase):  # type: ignore[misc]
    """The look at the end of a deployment."""

    _VALID_ARGS = frozenset({"timeout"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module of the same name; fails with what is amiss when the time is up."""
        super().run(tmp, task_vars)
        arguments = settle_request(fleet_of(task_vars), task_vars["inventory_hostname"])
        arguments["timeout"] = float(self._task.args["timeout"])
        result = dict(self._execute_module(module_args=arguments, task_vars=task_vars))
        if result.get("amiss"):
            result.update(failed=True, msg="not in step after the wait: " + "; ".join(result["amiss"]))
        return result
