"""Survey one machine; what was found holds passwords and goes into a private file, never into a result."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """One round trip; ``folder`` is the caller's own, and gets a file NAME.json that its owner alone can read."""

    _VALID_ARGS = frozenset({"folder"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module of the same name."""
        super().run(tmp, task_vars)
        result = dict(self._execute_module(module_args={}, task_vars=task_vars))
        found = result.pop("survey", None)
        result.pop("invocation", None)
        if found is not None:
            path = Path(self._task.args["folder"]) / f"{task_vars['inventory_hostname']}.json"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(found, file)
            result["found"] = len(found["processes"])
        return result
