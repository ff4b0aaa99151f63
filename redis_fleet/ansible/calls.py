"""Modules called in the middle of an action, on the machine that the action runs for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis_fleet.agent.replication.view import Target, unreachable
from redis_fleet.operations.remote_client import Module


def caller(action: Any, variables: Any) -> Module:
    """Return a function that runs a module through an action plugin; it raises RuntimeError with the module's words."""

    def call(name: str, arguments: Mapping[str, Any]) -> Any:
        result = action._execute_module(module_name=name, module_args=dict(arguments), task_vars=variables)
        if result.get("failed") or result.get("unreachable"):
            raise RuntimeError(str(result.get("msg", "unknown failure")))
        return result

    return call


def from_here(target: Target) -> bool:
    """Say whether the controller reaches the service, so that its clients can run here; else they go to a machine."""
    return len(unreachable(target)) < len(target["members"]) + len(target["sentinels"])
