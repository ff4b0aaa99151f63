"""Prepare a machine with what its processes need."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import prepare_request


class ActionModule(ActionBase):  # type: ignore[misc]
    """Masks, packages and kernel files in one round trip; in a container the kernel is left alone."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return what was written and installed."""
        super().run(tmp, task_vars)
        machine = task_vars["inventory_hostname"]
        host = task_vars["redis_fleet_observed"]["answer"]["host"]
        packages = task_vars["redis_fleet_planned"]["packages"][machine]
        asked = prepare_request(fleet_of(task_vars), machine, packages, host["system"], kernel=not host["container"])
        return result_of(self, asked, task_vars)
