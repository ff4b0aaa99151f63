"""Find every Redis process of a machine; what is found holds passwords: it goes into a private file, not a result."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.messages.discovery import Discover
from redis_fleet.ansible.agent import result_of
from redis_fleet.ansible.documented import arguments

DOCUMENTATION = """
module: redis_fleet_discover
short_description: Find every Redis process of a machine
description:
  - One round trip. What is found holds passwords, so it goes into a file and not into a result.
options:
  folder:
    description: The folder of the caller; it gets a file NAME.json that its owner alone can read.
    type: path
    required: true
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Leaves what was found with the caller."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return how many were found."""
        super().run(tmp, task_vars)
        folder = Path(arguments(self, DOCUMENTATION)["folder"])
        result = result_of(self, Discover(), task_vars)
        found = result.pop("answer", None)
        result.pop("invocation", None)
        if found is not None:
            path = folder / f"{task_vars['inventory_hostname']}.json"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(found, file)
            result["found"] = len(found["processes"])
        return result
