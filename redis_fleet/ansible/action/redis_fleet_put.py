"""Write the folders, configuration files and units of the processes that the plan names."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.requests import process_parts
from redis_fleet.render.files import configuration


class ActionModule(ActionBase):  # type: ignore[misc]
    """All files of a machine in one round trip."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module of the same name with rendered files."""
        super().run(tmp, task_vars)
        fleet, machine = fleet_of(task_vars), task_vars["inventory_hostname"]
        steps = task_vars["redis_fleet_planned"]["steps"]
        named = {step["process"] for step in steps if step["stage"] == "write" and step["machine"] == machine}
        processes = [process for process in fleet.on(machine) if process.name in named]
        arguments = process_parts(fleet, processes)
        result = dict(self._execute_module(module_args=arguments, task_vars=task_vars))
        if self._task.diff:
            masked = {each.paths.configuration: configuration(fleet, each, masked=True) for each in processes}
            texts = {each["path"]: masked.get(each["path"], each["content"]) for each in arguments["files"]}
            result["diff"] = [
                {"before": "", "after": texts[path], "after_header": path}
                for path in result.get("written", [])
                if path in texts
            ]
        return result
