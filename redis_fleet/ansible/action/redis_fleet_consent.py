"""Ask before a step that clients notice: the command line at its terminal, ansible-playbook by a variable."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import ask, in_front

DOCUMENTATION = """
module: redis_fleet_consent
short_description: Ask whether a plan that disturbs clients may be carried out
description:
  - It fails when nobody agreed to a plan that takes a process down or moves a master. It needs
    redis_fleet_planned.
options:
  given:
    description: Whether it was agreed to before.
    type: bool
    default: false
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Asks in front of a person only."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return at once where nothing is disturbed, in check mode, and where it was agreed to before."""
        super().run(tmp, task_vars)
        given = arguments(self, DOCUMENTATION)["given"]
        disruptive = task_vars["redis_fleet_planned"]["disturbs"]
        if not disruptive or self._task.check_mode or given:
            return {"changed": False}
        if in_front() and ask("consent"):
            return {"changed": False}
        said = "nothing was changed: nobody agreed to restarts and switchovers"
        remedy = "" if in_front() else "; say -e redis_fleet_yes=true"
        return {"failed": True, "changed": False, "msg": said + remedy}
