"""The client of an operation on one of the machines, for a controller that does not reach the ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from redis_fleet.agent.load_client.writer import Look, Tally
from redis_fleet.agent.replication.view import Target, View
from redis_fleet.operations.ports import waits

Module = Callable[[str, Mapping[str, Any]], Any]
"""Runs a module with its arguments on the machine; returns its result, raises RuntimeError when it fails."""


def call(name: str, module: Module, target: Target, **given: Any) -> Any:
    """Call a module about a service; passwords go as arguments of their own, which Ansible keeps out of its logs."""
    open_part = {**target, "password": None, "sentinel_password": None}
    secrets = {"password": target["password"], "sentinel_password": target["sentinel_password"]}
    return module(name, {"target": open_part, **secrets, **given})["answer"]


def ask(module: Module, target: Target, verb: str, **given: Any) -> Any:
    """Let the machine be the client."""
    return call("redis_fleet_vantage", module, target, verb=verb, **given)


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
