"""The fleet that a play works on: placed again from its file in each process, so that no variable holds a secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from redis_fleet.description.load import load as load_description
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.sandbox.state import grow, sandbox_layout
from redis_fleet.topology.places import places

SANDBOX = "REDIS_FLEET_SANDBOX"


def fleet_of(variables: Mapping[str, Any]) -> Fleet:
    """Return the fleet of a host; ``redis_fleet_source`` is set by the inventory plugin."""
    return load(str(variables["redis_fleet_source"]))


@cache
def load(source: str) -> Fleet:
    """Read and place a file; in a sandbox when the environment names one."""
    root = os.environ.get(SANDBOX)
    if not root:
        return load_fleet(source)
    grow(Path(root), places(load_description(source).deployment))
    layout, server = sandbox_layout(root)
    return load_fleet(source, layout, server)
