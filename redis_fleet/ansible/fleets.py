"""The fleet that a play works on: placed again from its file in each process, so that no variable holds a secret."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from redis_fleet.ansible.observations import observations
from redis_fleet.loading import load_fleet, load_in_sandbox
from redis_fleet.model import Fleet
from redis_fleet.observe.facts import observed
from redis_fleet.settings.shares import unknown, with_memory
from redis_fleet.topology.identity import with_believed

SANDBOX = "REDIS_FLEET_SANDBOX"
LOCAL: Mapping[str, object] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "ansible_become": False,
}
"""How Ansible gets to every machine of a sandbox; no file of variables may say otherwise."""


def fleet_of(variables: Mapping[str, Any]) -> Fleet:
    """Return the fleet of a host; ``redis_fleet_source`` is set by the inventory plugin.

    Shares of a machine's memory are filled in as soon as it was looked at.
    """
    fleet = with_believed(load(str(variables["redis_fleet_source"])))
    if not unknown(fleet.processes) or "hostvars" not in variables:
        return fleet
    return with_memory(fleet, observed(observations(fleet, variables["hostvars"])).memory)


@cache
def load(source: str) -> Fleet:
    """Read and place a file; in a sandbox when the environment names one."""
    root = os.environ.get(SANDBOX)
    return load_in_sandbox(source, Path(root)) if root else load_fleet(source)
