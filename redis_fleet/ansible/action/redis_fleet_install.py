"""Prepare a machine with what its processes need."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import prepare_request

DOCUMENTATION = """
module: redis_fleet_install
short_description: Prepare a machine with what its processes need
description:
  - Masks, packages and kernel files in one round trip; in a container the kernel is left alone. It
    needs redis_fleet_observed and redis_fleet_planned.
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Masks, packages and kernel files at once."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return what was written and installed."""
        super().run(tmp, task_vars)
        arguments(self, DOCUMENTATION)
        machine = task_vars["inventory_hostname"]
        host = task_vars["redis_fleet_observed"]["answer"]["host"]
        packages = task_vars["redis_fleet_planned"]["packages"][machine]
        kernel = not host["container"]
        asked = prepare_request(fleet_of(task_vars), machine, host["system"], packages, kernel=kernel)
        return result_of(self, asked, task_vars)
