"""Requests to the code on a machine: a typed message goes out through Ansible, a typed answer comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from redis_fleet.agent.codec import Message, Request
from redis_fleet.agent.errors import RefusedError
from redis_fleet.agent.inspect.verbs import INSPECTIONS
from redis_fleet.operations.ports import refused

A = TypeVar("A", bound=Message)
MODULE, INSPECTING = "redis_fleet_agent", "redis_fleet_inspect"
"""The module with all verbs, and the small one with those that only look."""


class AgentFailedError(RuntimeError):
    """A machine did not do what it was asked for: ``why``, in its own words; ``code`` is one of agent/errors.py.

    The text is for people, and says of a refusal that it was one.
    """

    def __init__(self, result: Mapping[str, Any]) -> None:
        """Take both from what Ansible returned."""
        self.code = str(result.get("code", "failed"))
        self.why = str(result.get("msg", "unknown failure"))
        super().__init__(refused(self.why) if self.code == RefusedError.code else self.why)


def result_of(action: Any, request: Request[Any], variables: Any) -> dict[str, Any]:
    """Send a request to the machine that an action runs for; returns Ansible's result, the answer under ``answer``."""
    secrets: list[str] = []
    body = json.dumps(request.to_json(secrets))
    arguments = {"verb": request.verb, "request": body, "secrets": secrets}
    module = INSPECTING if request.verb in INSPECTIONS else MODULE
    return dict(action._execute_module(module_name=module, module_args=arguments, task_vars=variables))


def read(request: type[Request[A]], result: Mapping[str, Any]) -> A:
    """Return the answer in a result that ``result_of`` returned."""
    return request.answer().from_json(result["answer"])


def ask(action: Any, request: Request[A], variables: Any) -> A:
    """Send a request and return its answer; raises AgentFailedError with the machine's words."""
    result = result_of(action, request, variables)
    if result.get("failed") or result.get("unreachable"):
        raise AgentFailedError(result)
    return read(type(request), result)
