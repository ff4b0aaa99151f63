"""The failover drill, run for the machine that has the master: it is taken away and released here."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.messages.holding import FREEZE
from redis_fleet.agent.replication.view import view
from redis_fleet.ansible.calls import caller
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import tell
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.switching import result_of
from redis_fleet.operations.ansible_control import AnsibleProcessControl
from redis_fleet.operations.clients import client_of, from_here
from redis_fleet.operations.failover_drill import run
from redis_fleet.operations.failover_ways import wrong
from redis_fleet.operations.interruptible import InterruptibleClient, noting_interrupts
from redis_fleet.operations.ports import OperationRefusedError, TimelineEvent, refused
from redis_fleet.operations.remote_client import far_view
from redis_fleet.topology.service_access import target

DOCUMENTATION = """
module: redis_fleet_drill
short_description: Take the master of a service away on purpose, and report what its clients noticed
description:
  - It fails when anything is not as it should be.
options:
  service:
    description: The name of the service.
    type: str
    required: true
  how:
    description: kill, stop or freeze.
    type: str
    default: kill
"""

# Longer than a frozen master stays frozen: this client waits for it.
_STAYS = 300.0


class ActionModule(ActionBase):  # type: ignore[misc]
    """Lets the old master go whatever happens."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the report; fails when anything is not as it should be."""
        super().run(tmp, task_vars)
        fleet = fleet_of(task_vars)
        given = arguments(self, DOCUMENTATION)
        if why := wrong(given["how"], sandbox=fleet.sandbox is not None):
            return {"failed": True, "changed": False, "msg": refused(why)}
        aim = target(fleet, fleet.service(given["service"]))
        machine = caller(self, task_vars)
        here = from_here(aim)
        processes = AnsibleProcessControl(fleet, aim, lambda: view(aim) if here else far_view(aim, machine), machine)
        eyes = InterruptibleClient(client_of(aim, machine, here=here), noting_interrupts())
        try:
            stale = client_of(aim, machine, here=here, patience=_STAYS) if given["how"] == FREEZE else None
            found = run(aim, processes, eyes, self._say, given["how"], stale)
        except OperationRefusedError as error:
            return {"failed": True, "changed": False, "msg": error.problem}
        except RuntimeError as error:
            return {"failed": True, "changed": True, "msg": str(error)}
        except KeyboardInterrupt:
            return {"failed": True, "changed": True, "msg": "interrupted; the old master was let go"}
        return {**result_of(found, changed=True), "writes": [asdict(each) for each in found.writes]}

    def _say(self, event: TimelineEvent) -> None:
        tell(self._display, event)
