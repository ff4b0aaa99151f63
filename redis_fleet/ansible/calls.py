"""Modules called in the middle of an action, on the machine that the action runs for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure

from redis_fleet.operations.remote_client import Module


def caller(action: Any, variables: Any) -> Module:
    """Return a function that runs a module through an action plugin; it raises RuntimeError with the module's words."""

    def call(name: str, arguments: Mapping[str, Any]) -> Any:
        result = action._execute_module(module_name=name, module_args=dict(arguments), task_vars=variables)
        if result.get("failed") or result.get("unreachable"):
            raise RuntimeError(str(result.get("msg", "unknown failure")))
        return result

    return call


def reaching(action: Any, task_vars: Any) -> Module:
    """Return what runs a module, and raises RuntimeError also where the machine was lost.

    Ansible's own error would end the action at once, with the old master fenced perhaps.
    """
    call = caller(action, task_vars)

    def reach(name: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return call(name, arguments)
        except AnsibleConnectionFailure as error:
            raise RuntimeError(f"{task_vars['inventory_hostname']} cannot be reached any more: {error}") from error

    return reach
