"""Control of processes and roles through a module that runs on a machine of the deployment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from redis_fleet.agent.options import arguments
from redis_fleet.agent.replication.handover import Described, Outcome
from redis_fleet.agent.replication.view import Target, View, agreed_master, spot
from redis_fleet.model import USUAL_RESTART_DELAY, Fleet
from redis_fleet.observe.request import managed
from redis_fleet.operations.remote_client import Module, call


class AnsibleProcessControl:
    """The ``ProcessControl`` of the machine that ``module`` runs on."""

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


class AnsibleRoleControl:
    """The ``RoleControl`` of the machine that ``module`` runs on, and the promotion where there is no master left."""

    def __init__(self, target: Target, described: Described, module: Module) -> None:
        """Keep what each call needs; ``described`` are the values that a switchover changes for the time."""
        self._target, self._described, self._module = target, described, module

    def prefer(self, new: str) -> dict[str, int]:
        """Make Sentinel prefer a member."""
        return dict(self._ask(verb="prefer", new=new, described=self._described))

    def hand_over(self, old: str, new: str) -> Outcome:
        """Hand the role over, all of it in one call."""
        outcome: Outcome = self._ask(verb="hand_over", old=old, new=new, described=self._described)
        return outcome

    def restore(self, priorities: Mapping[str, int]) -> list[str]:
        """Put priorities back."""
        return list(self._ask(verb="restore", priorities=dict(priorities)))

    def promote(self, new: str) -> Outcome:
        """Promote a member, or the one with the newest data, without any help of the old master."""
        outcome: Outcome = self._ask(verb="promote", new=new)
        return outcome

    def _ask(self, **given: Any) -> Any:
        return call("redis_fleet_handover", self._module, self._target, **given)
