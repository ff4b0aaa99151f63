"""Write the files of new processes and start the processes of some stages on a machine, until they are ready."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import process_parts, start_request
from redis_fleet.render.files import configuration


class ActionModule(ActionBase):  # type: ignore[misc]
    """One round trip, whatever the number of files and processes."""

    _VALID_ARGS = frozenset({"stages", "timeout"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module of the same name with what the plan names for these stages."""
        super().run(tmp, task_vars)
        fleet, machine, stages = fleet_of(task_vars), task_vars["inventory_hostname"], self._task.args["stages"]
        steps = task_vars["redis_fleet_planned"]["steps"]
        mine = [step for step in steps if step["stage"] in stages and step["machine"] == machine]
        written = {step["process"] for step in mine if step["stage"] == "write"}
        processes = [process for process in fleet.on(machine) if process.name in written]
        parts = process_parts(fleet, processes)
        started = start_request(fleet, machine, [step for step in mine if step["stage"] != "write"])
        arguments = {**parts, **started, "timeout": float(self._task.args["timeout"])}
        result = dict(self._execute_module(module_args=arguments, task_vars=task_vars))
        if self._task.diff:
            masked = {each.paths.configuration: configuration(fleet, each, masked=True) for each in processes}
            texts = {each["path"]: masked.get(each["path"], each["content"]) for each in parts["files"]}
            result["diff"] = [
                {"before": "", "after": texts[path], "after_header": path}
                for path in result.get("written", [])
                if path in texts
            ]
        return result
