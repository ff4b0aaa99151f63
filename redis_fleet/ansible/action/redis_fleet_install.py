"""Prepare a machine with what its processes need."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import machine_parts


class ActionModule(ActionBase):  # type: ignore[misc]
    """Masks, packages and kernel files in one round trip; in a container the kernel is left alone."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module of the same name."""
        super().run(tmp, task_vars)
        machine = task_vars["inventory_hostname"]
        seen = task_vars["redis_fleet_seen"]
        arguments = machine_parts(fleet_of(task_vars), machine, seen["system"], kernel=not seen["container"])
        arguments["packages"] = list(task_vars["redis_fleet_planned"]["packages"][machine])
        return dict(self._execute_module(module_args=arguments, task_vars=task_vars))
