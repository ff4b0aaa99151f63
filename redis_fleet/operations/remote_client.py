"""The drill's client on one of the machines, for a controller that does not reach the ports; and hands over Ansible."""

from __future__ import annotations

from typing import Protocol, TypeVar

from redis_fleet.agent.codec import Message, Request
from redis_fleet.agent.messages.client import ClientLook, ClientStart, ClientStop, Look, Tally
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.operations.ports import waits

A = TypeVar("A", bound=Message)


class Ask(Protocol):
    """Sends a request to one machine and returns its answer; raises RuntimeError when it was not done."""

    def __call__(self, request: Request[A], /) -> A:
        """Ask."""


class ShippedClient:
    """A ``Client`` whose writer runs on a machine; ``patience`` as in ``Writing``."""

    def __init__(self, target: ServiceAccess, ask: Ask, patience: float = 0.0) -> None:
        """Keep them; nothing runs yet."""
        self._target, self._patience = target, patience
        self._ask = ask
        self._folder: str | None = None
        self._offset = 0
        self._tally: Tally | None = None

    def start(self) -> None:
        """Start the writer there."""
        self._folder = self._ask(ClientStart(self._target, waits(self._target).total, self._patience)).folder

    def look(self) -> Look:
        """Return new events and the view from there."""
        seen = self._ask(ClientLook(self._target, self._folder, self._offset))
        self._offset = seen.offset
        return seen

    def stop(self) -> Tally | None:
        """End the writer and return its tally."""
        if self._folder:
            folder, self._folder = self._folder, None
            self._tally = self._ask(ClientStop(folder)).tally
        return self._tally


def far_view(target: ServiceAccess, ask: Ask) -> ServiceView:
    """Return what Sentinels and members say to that machine."""
    return ask(ClientLook(target)).view
