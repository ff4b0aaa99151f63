"""The failover drill, run for the machine that has the master: it is killed and released here."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.replication.view import view
from redis_fleet.ansible.calls import caller, from_here
from redis_fleet.ansible.events import tell
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.switching import noting_interrupts
from redis_fleet.operations.failover_drill import run
from redis_fleet.operations.interruptible import InterruptibleClient
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.ports import Client, DrillRefusedError, TimelineEvent
from redis_fleet.operations.remote_client import AnsibleHands, ShippedClient, far_view
from redis_fleet.operations.service_access import target


class ActionModule(ActionBase):  # type: ignore[misc]
    """Kills the master of a service on purpose, and reports what its clients noticed."""

    _VALID_ARGS = frozenset({"service"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the report; fails when anything is not as it should be."""
        super().run(tmp, task_vars)
        fleet = fleet_of(task_vars)
        aim = target(fleet, fleet.service(self._task.args["service"]))
        machine = caller(self, task_vars)
        here = from_here(aim)
        client: Client = LocalClient(aim) if here else ShippedClient(aim, machine)
        hands = AnsibleHands(fleet, aim, lambda: view(aim) if here else far_view(aim, machine), machine)
        try:
            found = run(aim, hands, InterruptibleClient(client, noting_interrupts()), self._say)
        except DrillRefusedError as error:
            return {"failed": True, "changed": False, "msg": f"nothing was touched: {error}"}
        except RuntimeError as error:
            return {"failed": True, "changed": True, "msg": str(error)}
        except KeyboardInterrupt:
            return {"failed": True, "changed": True, "msg": "interrupted; the old master was let go"}
        writes = [asdict(each) for each in found.writes]
        result: dict[str, Any] = {"changed": True, "report": found.to_dict(), "writes": writes}
        if not found.ok:
            return {**result, "failed": True, "msg": "\n".join(found.problems)}
        return result

    def _say(self, event: TimelineEvent) -> None:
        tell(self._display, event)
