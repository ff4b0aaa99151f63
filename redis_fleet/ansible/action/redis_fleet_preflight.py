"""Ask a machine what it is before a deployment; a second task judges all answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from redis_fleet.ansible.agent import AgentFailedError, ask
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import emit, in_front
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.preflight.request import request
from redis_fleet.preflight.table import counts, rows
from redis_fleet.preflight.text import count_line, lines

DOCUMENTATION = """
module: redis_fleet_preflight
short_description: Ask a machine what it is before a deployment, or judge all answers
description:
  - Without asked it asks, and fails never.
options:
  asked:
    description: The name of the variable with the answers of all machines, which are then judged.
    type: str
  strict:
    description: Whether a warning is a failure, too.
    type: bool
    default: false
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Asks one machine, or judges the answers of all."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the facts, or the rows of all machines."""
        super().run(tmp, task_vars)
        fleet, given = fleet_of(task_vars), arguments(self, DOCUMENTATION)
        if fleet.sandbox:
            return {"failed": True, "msg": "a sandbox has no machines to look at"}
        if given["asked"]:
            return self._judge(given["asked"], task_vars, strict=given["strict"])
        before = time.time()
        try:
            facts = ask(self, request(fleet, task_vars["inventory_hostname"]), task_vars).to_json()
        except (AnsibleError, AgentFailedError) as error:
            # The other machines are judged all the same.
            return {"changed": False, "error": " ".join(str(error).split())}
        clock = {**facts["clock"], "asked": before, "answered": time.time()}
        return {"changed": False, "facts": {**facts, "clock": clock}}

    def _judge(self, name: str, task_vars: Any, *, strict: bool) -> dict[str, Any]:
        fleet = fleet_of(task_vars)
        results = {machine: task_vars["hostvars"][machine].get(name, {}) for machine in fleet.machines}
        found = rows(fleet, {machine: each.get("facts") or _missing(each) for machine, each in results.items()})
        number = counts(found)
        told = [row.to_dict() for row in found]
        emit("rows", rows=told)
        if not in_front():
            self._display.display("\n".join(lines(told)))
        bad = number["fail"] or (number["warn"] if strict else 0)
        return {"changed": False, "failed": bool(bad), "rows": told, "msg": count_line(told)}


def _missing(result: Mapping[str, Any]) -> dict[str, str]:
    """Return why there are no facts of a machine."""
    return {"error": str(result.get("error") or " ".join(str(result.get("msg", "it was not looked at")).split()))}
