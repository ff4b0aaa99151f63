"""Write the files of new processes and start the processes of some stages on a machine, until they are ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.secret import MASK
from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import process_parts, start_request
from redis_fleet.kinds.redis_sentinel import joining
from redis_fleet.model import Fleet
from redis_fleet.render import handover
from redis_fleet.render.files import configuration

DOCUMENTATION = """
module: redis_fleet_start
short_description: Write the files of a machine and start its processes
description:
  - One round trip, whatever the number of files and processes. It needs redis_fleet_planned.
options:
  stages:
    description: The stages of the plan that are done.
    type: list
    elements: str
    required: true
  timeout:
    description: How long the processes may take to be ready, in seconds.
    type: float
    required: true
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Does everything of the stages at once."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Do what the plan names for these stages."""
        super().run(tmp, task_vars)
        given = arguments(self, DOCUMENTATION)
        fleet, machine, stages = fleet_of(task_vars), task_vars["inventory_hostname"], given["stages"]
        steps = task_vars["redis_fleet_planned"]["steps"]
        mine = [step for step in steps if step["stage"] in stages and step["machine"] == machine]
        masters = _masters(fleet, task_vars["redis_fleet_planned"]["masters"])
        written: dict[str, dict[str, Any]] = {"": {}, "unit": {}, "certificate": {}}
        for step in mine:
            if step["stage"] == "write":
                written[_what(step)][step["process"]] = step
        whole, units, certificates = (
            [each for each in fleet.on(machine) if each.name in steps] for steps in written.values()
        )
        processes = [joining(each, masters) if written[""][each.name]["joins"] else each for each in whole]
        parts = process_parts(fleet, processes, units, certificates, dry=bool(self._task.check_mode))
        starting = [step for step in mine if step["stage"] != "write"]
        asked = start_request(fleet, machine, starting, parts, given["timeout"])
        result = result_of(self, asked, task_vars)
        if self._task.diff:
            masked = {each.paths.configuration: configuration(fleet, each, masked=True) for each in processes}
            masked |= {each.tls.key: MASK for each in (*processes, *certificates) if each.tls}
            handing = [each for each in (*processes, *units) if each.hands_over]
            masked |= {handover.paths(each)[1]: handover.knowledge_masked(fleet, each) for each in handing}
            texts = {each.path: masked.get(each.path, each.content.reveal()) for each in parts.files}
            result["diff"] = [
                {"before": "", "after": texts[path], "after_header": path}
                for path in result.get("answer", {}).get("written", [])
                if path in texts
            ]
        return result


def _what(step: Mapping[str, Any]) -> str:
    """Return what of a process a step writes: its ``unit``, its ``certificate``, or nothing less than all (empty)."""
    return next((each for each in ("unit", "certificate") if step[each]), "")


def _masters(fleet: Fleet, agreed: Mapping[str, Mapping[str, Any]]) -> dict[str, Endpoint]:
    """Return today's masters by monitor name."""
    places = {str(each.announced): each.announced for each in fleet.processes}
    watched = {each.watch.name: agreed[each.name]["master"] for each in fleet.services if each.watch}
    return {name: places[master] for name, master in watched.items() if master in places}
