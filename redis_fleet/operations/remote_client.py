"""The drill's client on one of the machines, for a controller that does not reach the ports; and hands over Ansible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from redis_fleet.agent.load_client.writer import Look, Tally
from redis_fleet.agent.options import arguments
from redis_fleet.agent.replication.view import Target, View, agreed_master, spot
from redis_fleet.model import USUAL_RESTART_DELAY, Fleet
from redis_fleet.observe.request import managed
from redis_fleet.operations.ports import waits

Module = Callable[[str, Mapping[str, Any]], Any]
"""Runs a module with its arguments on the machine; returns its result, raises RuntimeError when it fails."""


def ask(module: Module, target: Target, verb: str, **given: Any) -> Any:
    """Let the machine be the client; passwords go as arguments of their own, which Ansible keeps out of its logs."""
    open_part = {**target, "password": None, "sentinel_password": None}
    secrets = {"password": target["password"], "sentinel_password": target["sentinel_password"]}
    return module("redis_fleet_vantage", {"verb": verb, "target": open_part, **secrets, **given})["answer"]


class ShippedClient:
    """A ``Client`` whose writer runs on a machine."""

    def __init__(self, target: Target, module: Module) -> None:
        """Keep both; nothing runs yet."""
        self._target = target
        self._module = module
        self._folder: str | None = None
        self._offset = 0
        self._tally: Tally | None = None

    def start(self) -> None:
        """Start the writer there."""
        self._folder = ask(self._module, self._target, "start", seconds=waits(self._target).total)

    def look(self) -> Look:
        """Return new events and the view from there."""
        seen: Look = ask(self._module, self._target, "look", folder=self._folder, offset=self._offset)
        self._offset = seen["offset"]
        return seen

    def stop(self) -> Tally | None:
        """End the writer and return its tally."""
        if self._folder:
            folder, self._folder = self._folder, None
            self._tally = ask(self._module, self._target, "stop", folder=folder)
        return self._tally


def far_view(target: Target, module: Module) -> View:
    """Return what Sentinels and members say to that machine."""
    look: Look = ask(module, target, "look", folder=None)
    return look["view"]


class AnsibleHands:
    """Kills and releases processes of the machine that ``module`` runs on."""

    def __init__(self, fleet: Fleet, target: Target, view: Callable[[], View], module: Module) -> None:
        """Keep what is needed to say which process and whom it follows afterwards."""
        self._processes = {process.id: process for process in fleet.processes}
        self._server = fleet.sandbox.server if fleet.sandbox else ""
        self._target = target
        self._view = view
        self._module = module

    def kill_and_hold(self, process_id: str) -> str:
        """SIGKILL the process and keep it down."""
        return str(self._hold(process_id, held=True, follow="")["words"])

    def release(self, process_id: str) -> None:
        """Let it come back as a replica of the master that the Sentinels agree on now.

        Its file still makes it a master, which would take writes for about ten seconds and then lose them. Raises
        RuntimeError where it would come back empty as the master and empty its replicas.
        """
        process = self._processes[process_id]
        agreed = agreed_master(self._view())
        node = next(node for node in self._target["members"] if node["id"] == process_id)
        replaced = agreed is not None and agreed != spot(node)
        if not replaced and process.restart_delay != USUAL_RESTART_DELAY:
            raise RuntimeError(f"{process_id} stays down: without persistence it would start empty, as the master")
        other = next((node for node in self._target["members"] if spot(node) == agreed), None)
        follow = f"{other['address']} {other['port']}" if replaced and other else ""
        self._hold(process_id, held=False, follow=follow)

    def _hold(self, process_id: str, *, held: bool, follow: str) -> Any:
        request = {**arguments(managed(self._processes[process_id])), "follow": follow}
        return self._module("redis_fleet_hold", {"process": request, "held": held, "server": self._server})
