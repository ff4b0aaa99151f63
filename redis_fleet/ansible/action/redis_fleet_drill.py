"""The failover drill, run for the machine that has the master: it is killed and released here."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.calls import caller, from_here
from redis_fleet.ansible.events import emit, in_front
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.drill.failover import run
from redis_fleet.drill.interruptible import InterruptibleClient
from redis_fleet.drill.local import LocalClient
from redis_fleet.drill.parts import Client, DrillRefusedError, TimelineEvent
from redis_fleet.drill.shipped import AnsibleHands, ShippedClient, far_view
from redis_fleet.drill.target import target
from redis_fleet.remote.vantage import view


class ActionModule(ActionBase):  # type: ignore[misc]
    """Kills the master of a service on purpose, and reports what its clients noticed."""

    _VALID_ARGS = frozenset({"service"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the report; fails when anything is not as it should be."""
        super().run(tmp, task_vars)
        fleet = fleet_of(task_vars)
        aim = target(fleet, fleet.service(self._task.args["service"]))
        module = caller(self, task_vars)
        here = from_here(aim)
        client: Client = LocalClient(aim) if here else ShippedClient(aim, module)
        hands = AnsibleHands(fleet, aim, lambda: view(aim) if here else far_view(aim, module), module)
        try:
            report = run(aim, hands, InterruptibleClient(client, self._interrupted()), self._say).to_dict()
        except DrillRefusedError as error:
            return {"failed": True, "changed": False, "msg": f"nothing was touched: {error}"}
        except RuntimeError as error:
            return {"failed": True, "changed": True, "msg": str(error)}
        except KeyboardInterrupt:
            return {"failed": True, "changed": True, "msg": "interrupted; the old master was let go"}
        result: dict[str, Any] = {"changed": True, "report": report}
        if not report["ok"]:
            return {**result, "failed": True, "msg": "\n".join(report["problems"])}
        return result

    def _interrupted(self) -> threading.Event:
        """Return what is set by Ctrl-C or SIGTERM, which must not end this process before it has tidied up.

        An interrupted run sends its workers SIGINT and then SIGTERM; by default they end at once.
        """
        interrupted = threading.Event()

        def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            interrupted.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, note)
        return interrupted

    def _say(self, event: TimelineEvent) -> None:
        if in_front():
            emit("drill", at_ms=event.at_ms, text=event.text, kind=event.kind)
        else:
            self._display.display(f"{event.at_ms / 1000:8.1f} s  {event.text}")
