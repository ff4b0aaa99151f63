"""Repair the append-only file of a process that does not start: on its machine, with a copy kept.

A run has three parts: ``choose`` the process from what was seen everywhere, ``repair``, ``judge``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.errors import RefusedError
from redis_fleet.ansible.agent import AgentFailedError, ask
from redis_fleet.ansible.events import in_front
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import observations
from redis_fleet.ansible.repairs import Refusal, chosen, repair_request, said
from redis_fleet.ansible.runs import new_run
from redis_fleet.observe.facts import observed


class ActionModule(ActionBase):  # type: ignore[misc]
    """``process`` is an id (orders-6379@red2); ``discard`` allows whole commands behind the damage to be thrown away.

    With ``dry``, as in check mode, it only says what would be cut off. ``repair`` never fails, so that the lock is
    given back; ``judge`` does, with its ``report``.
    """

    _VALID_ARGS = frozenset({"part", "process", "discard", "dry", "timeout", "report"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Do one part."""
        super().run(tmp, task_vars)
        parts = {"choose": self._choose, "repair": self._repair, "judge": self._judge}
        return dict(parts[self._task.args["part"]](task_vars))

    def _choose(self, task_vars: Any) -> dict[str, Any]:
        """Return the ``machine``, the master to ``follow``, and what the lock and the journals want to know."""
        fleet = fleet_of(task_vars)
        answers = observations(fleet, task_vars["hostvars"])
        try:
            process, follow = chosen(fleet, observed(answers), str(self._task.args["process"]))
        except Refusal as error:
            return {"failed": True, "changed": False, "msg": f"nothing was touched: {error}"}
        lost = [machine for machine, answer in answers.items() if isinstance(answer, str)]
        reachable = [machine for machine in fleet.machines if machine not in lost]
        step = {"number": 1, "stage": "roll", "process": process.name, "how": "REPAIR", "what": f"repair {process.id}"}
        return {
            "changed": False,
            "machine": process.machine,
            "follow": follow,
            "run": new_run("repair", self._play_context.connection_lockfd),
            "steps": [{**step, "machine": machine, "reason": "asked for"} for machine in reachable],
            "notes": [],
            "masters": {},
            "reachable": reachable,
            "lost": lost,
        }

    def _repair(self, task_vars: Any) -> dict[str, Any]:
        fleet, planned = fleet_of(task_vars), task_vars["redis_fleet_planned"]
        process = next(each for each in fleet.processes if each.id == self._task.args["process"])
        dry = self._given("dry") or self._task.check_mode
        timeout = float(self._task.args.get("timeout", 600))
        asked = repair_request(fleet, process, planned["follow"], discard=self._given("discard"), timeout=timeout)
        self._task.check_mode = dry
        try:
            answer = ask(self, asked, task_vars)
        except AgentFailedError as error:
            problem = f"nothing was touched: {error}" if error.code == RefusedError.code else str(error)
            report = {"ok": False, "process": process.id, "problem": problem}
            return {"changed": False, "report": report}
        report = {"ok": True, "process": process.id, "dry": dry, "follow": planned["follow"], **asdict(answer)}
        return {"changed": True, "report": report, "msg": said(report)}

    def _judge(self, task_vars: Any) -> dict[str, Any]:  # noqa: ARG002
        report: Mapping[str, Any] = self._task.args["report"]
        if not report["ok"]:
            return {"failed": True, "changed": False, "msg": report["problem"]}
        if not in_front():
            self._display.display(said(report))
        return {"changed": False, "msg": said(report)}

    def _given(self, name: str) -> bool:
        """Return an argument that is a truth; a variable of the command line is a text."""
        return str(self._task.args.get(name, False)).lower() in ("true", "yes", "1", "on")
