"""The machine that a step of an operation runs for, reached through its action."""

from __future__ import annotations

from typing import Any, TypeVar

from redis_fleet.agent.codec import Message, Request
from redis_fleet.agent.errors import RefusedError
from redis_fleet.ansible.agent import AgentFailedError
from redis_fleet.ansible.calls import caller, reaching
from redis_fleet.operations.ports import OperationRefusedError

A = TypeVar("A", bound=Message)


class OperatedMachine:
    """The ``Machine`` of an operation.

    ``alone``: it is the one that the operation is done from, and when it is lost in a call, that is for the operation
    to deal with; else Ansible does, as always.
    """

    def __init__(self, action: Any, variables: Any, *, alone: bool) -> None:
        """Keep them; nothing is asked yet."""
        self.name = str(variables["inventory_hostname"])
        self._action, self._ask = action, (reaching if alone else caller)(action, variables)

    def ask(self, request: Request[A], *, dry: bool = False) -> A:
        """Send a request."""
        self._action._task.check_mode = dry or self._action._task.check_mode
        try:
            return self._ask(request)
        except AgentFailedError as error:
            if error.code == RefusedError.code:
                raise OperationRefusedError(error.why) from error
            raise
