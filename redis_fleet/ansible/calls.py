"""Machines asked in the middle of an action: the one that the action runs for."""

from __future__ import annotations

from typing import Any, TypeVar

from redis_fleet.agent.codec import Message, Request
from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.agent.replication.view import unreachable
from redis_fleet.ansible.agent import ask
from redis_fleet.operations.remote_client import Machine

A = TypeVar("A", bound=Message)


def caller(action: Any, variables: Any) -> Machine:
    """Return a function that asks a machine through an action plugin; it raises RuntimeError with the machine's words.

    What it raises is an AgentFailedError.
    """

    def call(request: Request[A], /) -> A:
        return ask(action, request, variables)

    return call


def from_here(target: ServiceAccess) -> bool:
    """Say whether the controller reaches the service, so that its clients can run here; else they go to a machine."""
    return len(unreachable(target)) < len(target.instances)
