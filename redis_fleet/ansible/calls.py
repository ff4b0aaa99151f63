"""Requests in the middle of an action, to the machine that the action runs for."""

from __future__ import annotations

from typing import Any, TypeVar

from ansible.errors import AnsibleConnectionFailure

from redis_fleet.agent.codec import Message, Request
from redis_fleet.ansible.agent import ask
from redis_fleet.operations.remote_client import Ask

A = TypeVar("A", bound=Message)


def caller(action: Any, variables: Any) -> Ask:
    """Return a function that asks a machine through an action plugin; it raises RuntimeError with the machine's words.

    What it raises is an AgentFailedError.
    """

    def call(request: Request[A], /) -> A:
        return ask(action, request, variables)

    return call


def reaching(action: Any, task_vars: Any) -> Ask:
    """Return what asks the machine, and raises RuntimeError also where the machine was lost.

    Ansible's own error would end the action at once, with the old master fenced perhaps.
    """
    call = caller(action, task_vars)

    def reach(request: Request[A], /) -> A:
        try:
            return call(request)
        except AnsibleConnectionFailure as error:
            raise RuntimeError(f"{task_vars['inventory_hostname']} cannot be reached any more: {error}") from error

    return reach
