"""Ask a machine what it is before a deployment; a second task judges all answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from redis_fleet.ansible.agent import AgentFailedError, ask
from redis_fleet.ansible.events import emit, in_front
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.preflight.request import request
from redis_fleet.preflight.table import counts, rows
from redis_fleet.preflight.text import count_line, lines


class ActionModule(ActionBase):  # type: ignore[misc]
    """Without arguments it asks and fails never; with ``asked``, the name of what it answered, it judges.

    With ``strict`` a warning is a failure, too.
    """

    _VALID_ARGS = frozenset({"asked", "strict"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the facts, or the rows of all machines."""
        super().run(tmp, task_vars)
        fleet = fleet_of(task_vars)
        if fleet.sandbox:
            return {"failed": True, "msg": "a sandbox has no machines to look at"}
        if name := self._task.args.get("asked"):
            return self._judge(name, task_vars)
        before = time.time()
        try:
            facts = ask(self, request(fleet, task_vars["inventory_hostname"]), task_vars).to_json()
        except (AnsibleError, AgentFailedError) as error:
            # The other machines are judged all the same.
            return {"changed": False, "error": " ".join(str(error).split())}
        clock = {**facts["clock"], "asked": before, "answered": time.time()}
        return {"changed": False, "facts": {**facts, "clock": clock}}

    def _judge(self, name: str, task_vars: Any) -> dict[str, Any]:
        fleet = fleet_of(task_vars)
        results = {machine: task_vars["hostvars"][machine].get(name, {}) for machine in fleet.machines}
        found = rows(fleet, {machine: each.get("facts") or _missing(each) for machine, each in results.items()})
        number = counts(found)
        told = [row.to_dict() for row in found]
        emit("rows", rows=told)
        if not in_front():
            self._display.display("\n".join(lines(told)))
        bad = number["fail"] or (number["warn"] if self._task.args.get("strict") else 0)
        return {"changed": False, "failed": bool(bad), "rows": told, "msg": count_line(told)}


def _missing(result: Mapping[str, Any]) -> dict[str, str]:
    """Return why there are no facts of a machine."""
    return {"error": str(result.get("error") or " ".join(str(result.get("msg", "it was not looked at")).split()))}
