"""Wait until a machine's processes are in step with the others, and look at it."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import wait_request

DOCUMENTATION = """
module: redis_fleet_settle
short_description: Wait until the processes of a machine are in step with the others, and look at it
description:
  - The look at the end of a deployment. It fails with what is amiss when the time is up.
options:
  timeout:
    description: How long to wait, in seconds.
    type: float
    required: true
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """The look at the end of a deployment."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return what was seen last, as an observation; fails with what is amiss when the time is up."""
        super().run(tmp, task_vars)
        timeout = arguments(self, DOCUMENTATION)["timeout"]
        asked = wait_request(fleet_of(task_vars), task_vars["inventory_hostname"], timeout)
        result = result_of(self, asked, task_vars)
        if "answer" in result:
            answer = result["answer"]
            result.update(answer=answer["observation"], amiss=answer["amiss"], restored=answer["restored"])
        if result.get("amiss"):
            result.update(failed=True, msg="not in step after the wait: " + "; ".join(result["amiss"]))
        return result
