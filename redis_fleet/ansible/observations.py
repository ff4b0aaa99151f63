"""What the machines answered to a look, taken out of Ansible's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis_fleet.model import Fleet


def looks(fleet: Fleet, hostvars: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    """Return each machine's look, or ``{"error": …}`` where there is none."""
    return {machine: _look(hostvars[machine].get(name)) for machine in fleet.machines}


def _look(result: Any) -> Mapping[str, Any]:
    if result is None:
        return {"error": "it was not looked at"}
    if result.get("unreachable") or result.get("failed"):
        return {"error": " ".join(str(result.get("msg", "unknown")).split())}
    return dict(result)
