"""The failover drill, run for the machine that has the master: it is killed and released here."""

from __future__ import annotations

import signal
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.calls import caller, from_here
from redis_fleet.ansible.events import emit, in_front
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.drill.failover import run
from redis_fleet.drill.local import LocalClient
from redis_fleet.drill.parts import Client, DrillRefusedError, TimelineEvent
from redis_fleet.drill.shipped import AnsibleHands, ShippedClient
from redis_fleet.drill.target import target


class ActionModule(ActionBase):  # type: ignore[misc]
    """Kills the master of a service on purpose, and reports what its clients noticed."""

    _VALID_ARGS = frozenset({"service"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the report; fails when anything is not as it should be."""
        super().run(tmp, task_vars)
        # An interrupted run ends its workers with SIGTERM: the old master must still be let go.
        signal.signal(signal.SIGTERM, _interrupt)
        fleet = fleet_of(task_vars)
        aim = target(fleet, fleet.service(self._task.args["service"]))
        module = caller(self, task_vars)
        client: Client = LocalClient(aim) if from_here(aim) else ShippedClient(aim, module)
        try:
            report = run(aim, AnsibleHands(fleet, aim, client.look, module), client, self._say).to_dict()
        except DrillRefusedError as error:
            return {"failed": True, "changed": False, "msg": f"nothing was touched: {error}"}
        except KeyboardInterrupt:
            return {"failed": True, "changed": True, "msg": "interrupted; the old master was let go"}
        result: dict[str, Any] = {"changed": True, "report": report}
        if not report["ok"]:
            return {**result, "failed": True, "msg": "\n".join(report["problems"])}
        return result

    def _say(self, event: TimelineEvent) -> None:
        if in_front():
            emit("drill", at_ms=event.at_ms, text=event.text, kind=event.kind)
        else:
            self._display.display(f"{event.at_ms / 1000:8.1f} s  {event.text}")


def _interrupt(number: int, frame: Any) -> None:  # noqa: ARG001
    raise KeyboardInterrupt
