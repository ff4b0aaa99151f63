"""The drill's client on one of the machines, for a controller that does not reach the ports; and hands over Ansible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from redis_fleet.agent.codec import Message, Request
from redis_fleet.agent.messages.client import ClientLook, ClientStart, ClientStop, Look, Tally
from redis_fleet.agent.messages.holding import Hold, Release
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import agreed_master
from redis_fleet.model import USUAL_RESTART_DELAY, Fleet
from redis_fleet.observe.request import managed
from redis_fleet.operations.ports import waits

A = TypeVar("A", bound=Message)


class Machine(Protocol):
    """Sends a request to one machine and returns its answer; raises RuntimeError when it was not done."""

    def __call__(self, request: Request[A], /) -> A:
        """Ask."""


class ShippedClient:
    """A ``Client`` whose writer runs on a machine."""

    def __init__(self, target: ServiceAccess, machine: Machine) -> None:
        """Keep both; nothing runs yet."""
        self._target = target
        self._machine = machine
        self._folder: str | None = None
        self._offset = 0
        self._tally: Tally | None = None

    def start(self) -> None:
        """Start the writer there."""
        self._folder = self._machine(ClientStart(self._target, waits(self._target).total)).folder

    def look(self) -> Look:
        """Return new events and the view from there."""
        seen = self._machine(ClientLook(self._target, self._folder, self._offset))
        self._offset = seen.offset
        return seen

    def stop(self) -> Tally | None:
        """End the writer and return its tally."""
        if self._folder:
            folder, self._folder = self._folder, None
            self._tally = self._machine(ClientStop(folder)).tally
        return self._tally


def far_view(target: ServiceAccess, machine: Machine) -> ServiceView:
    """Return what Sentinels and members say to that machine."""
    return machine(ClientLook(target)).view


class AnsibleHands:
    """Kills and releases processes of a machine."""

    def __init__(self, fleet: Fleet, target: ServiceAccess, view: Callable[[], ServiceView], machine: Machine) -> None:
        """Keep what is needed to say which process and whom it follows afterwards."""
        self._processes = {process.id: process for process in fleet.processes}
        self._server = fleet.sandbox.server if fleet.sandbox else ""
        self._target = target
        self._view = view
        self._machine = machine

    def kill_and_hold(self, process_id: str) -> str:
        """SIGKILL the process and keep it down."""
        return self._machine(Hold(managed(self._processes[process_id]))).words

    def release(self, process_id: str) -> None:
        """Let it come back as a replica of the master that the Sentinels agree on now.

        Its file still makes it a master, which would take writes for about ten seconds and then lose them. Raises
        RuntimeError where it would come back empty as the master and empty its replicas.
        """
        process = self._processes[process_id]
        agreed = agreed_master(self._view())
        node = next(node for node in self._target.members if node.id == process_id)
        replaced = agreed not in ("", str(node.endpoint))
        if not replaced and process.restart_delay != USUAL_RESTART_DELAY:
            raise RuntimeError(f"{process_id} stays down: without persistence it would start empty, as the master")
        other = next((node for node in self._target.members if str(node.endpoint) == agreed), None)
        follow = f"{other.endpoint.address} {other.endpoint.port}" if replaced and other else ""
        self._machine(Release(managed(process), self._server, follow))
