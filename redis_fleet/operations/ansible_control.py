"""Control of processes and roles by requests to a machine of the deployment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from redis_fleet.agent.messages.handover import (
    HandOver,
    Handover,
    MayElect,
    Prefer,
    Promote,
    RestorePriorities,
)
from redis_fleet.agent.messages.holding import FREEZE, KILL, Hold, Release
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.messages.usual_values import Described
from redis_fleet.agent.replication.agreement import agreed_master
from redis_fleet.model import USUAL_RESTART_DELAY, Fleet
from redis_fleet.observe.request import managed
from redis_fleet.operations.ports import waits
from redis_fleet.operations.remote_client import Ask


class AnsibleProcessControl:
    """The ``ProcessControl`` of the machine that is asked."""

    def __init__(self, fleet: Fleet, target: ServiceAccess, view: Callable[[], ServiceView], ask: Ask) -> None:
        """Keep what is needed to say which process and whom it follows afterwards."""
        self._processes = {process.id: process for process in fleet.processes}
        self._server = fleet.sandbox.server if fleet.sandbox else ""
        self._target = target
        self._view = view
        self._ask = ask
        self._how = KILL

    def take_away(self, process_id: str, how: str) -> str:
        """Kill, stop or freeze the process; a frozen one goes on by itself after the drill's longest waits."""
        self._how = how
        bounds = waits(self._target)
        seconds = round(bounds.failover + bounds.follow) if how == FREEZE else 0
        return self._ask(Hold(managed(self._processes[process_id]), how, seconds)).words

    def release(self, process_id: str) -> None:
        """Let it come back as a replica of the master that the Sentinels agree on now.

        Its file still makes it a master, which would take writes for about ten seconds and then lose them. A frozen one
        does: it runs, and only Sentinel can tell it. Raises RuntimeError where it would come back empty as the master
        and empty its replicas.
        """
        process = self._processes[process_id]
        if self._how == FREEZE:
            self._ask(Release(managed(process), how=FREEZE))
            return
        agreed = agreed_master(self._view())
        own = next(each for each in self._target.members if each.id == process_id)
        replaced = agreed not in ("", str(own.announced))
        if not replaced and process.restart_delay != USUAL_RESTART_DELAY:
            raise RuntimeError(f"{process_id} stays down: without persistence it would start empty, as the master")
        other = next((each.announced for each in self._target.members if str(each.announced) == agreed), None)
        follow = f"{other.address} {other.port}" if replaced and other else ""
        self._ask(Release(managed(process), self._server, follow))


class AnsibleRoleControl:
    """The ``RoleControl`` of the machine that is asked, and the promotion where there is no master left."""

    def __init__(self, target: ServiceAccess, described: Described, ask: Ask) -> None:
        """Keep what each request needs; ``described`` are the values that a switchover changes for the time."""
        self._target, self._described, self._ask = target, described, ask

    def prefer(self, new: str, *, elect: bool) -> dict[str, int]:
        """Make a member ready, and Sentinel prefer it."""
        return dict(self._ask(Prefer(self._target, new, self._described, elect)).before)

    def may_elect(self, old: str) -> str:
        """Ask the Sentinels from there."""
        return self._ask(MayElect(self._target, old)).why

    def hand_over(self, old: str, new: str, *, elect: bool) -> Handover:
        """Hand the role over, all of it in one request."""
        return self._ask(HandOver(self._target, old, new, self._described, elect))

    def restore(self, priorities: Mapping[str, int]) -> list[str]:
        """Put priorities back."""
        return list(self._ask(RestorePriorities(self._target, priorities)).problems)

    def promote(self, new: str) -> Handover:
        """Promote a member, or the one with the newest data, without any help of the old master."""
        return self._ask(Promote(self._target, new))
