"""One step of an operation on the machines: ask, choose, do, remember or judge; see playbooks/operation.yml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.events import in_front, tell
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import observations
from redis_fleet.ansible.operating import OperatedMachine
from redis_fleet.ansible.runs import RunIntent, new_run
from redis_fleet.observe.facts import observed
from redis_fleet.operations.ports import OperationRefusedError, TimelineEvent
from redis_fleet.operations.procedure import Arguments, Procedure, Situation
from redis_fleet.operations.registry import PROCEDURES

Result = dict[str, Any]
_RECORDS, _PLANNED = "redis_fleet_records", "redis_fleet_planned"


class ActionModule(ActionBase):  # type: ignore[misc]
    """``name`` is one of operations/registry.py, ``arguments`` what it is asked for; ``done`` the result of ``do``.

    ``ask`` is registered as redis_fleet_records on every machine, ``choose`` as redis_fleet_planned: the steps after it
    have their arguments from there.
    """

    _VALID_ARGS = frozenset({"name", "step", "arguments", "done"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> Result:
        """Do one step."""
        super().run(tmp, task_vars)
        procedure = PROCEDURES[self._task.args["name"]]
        steps = {
            "ask": self._ask,
            "choose": self._choose,
            "do": self._do,
            "remember": self._remember,
            "judge": self._judge,
        }
        step = steps[self._task.args["step"]]
        try:
            situation = self._situation(task_vars)
            procedure.check(situation)
            return step(procedure, situation, task_vars)
        except OperationRefusedError as error:
            return {"failed": True, "changed": False, "msg": f"nothing was touched: {error}"}
        except RuntimeError as error:
            return {"failed": True, "changed": False, "msg": str(error)}

    def _situation(self, variables: Any) -> Situation:
        fleet, hosts = fleet_of(variables), variables["hostvars"]
        given = self._task.args.get("arguments")
        return Situation(
            fleet=fleet,
            given=Arguments(variables[_PLANNED]["arguments"] if given is None else given),
            machine=OperatedMachine(self, variables, alone=self._task.args["step"] == "do"),
            observed=lambda: observed(observations(fleet, hosts)),
            answers={machine: hosts[machine].get(_RECORDS) or {} for machine in fleet.machines},
            say=self._say,
            trying=bool(self._task.check_mode),
        )

    def _ask(self, procedure: Procedure, situation: Situation, variables: Any) -> Result:  # noqa: ARG002
        return {"changed": False, **procedure.ask(situation)}

    def _choose(self, procedure: Procedure, situation: Situation, variables: Any) -> Result:  # noqa: ARG002
        """Return what was chosen, and what the lock and the journals want to know."""
        chosen = procedure.choose(situation)
        run = new_run(chosen.verb, self._play_context.connection_lockfd)
        return {
            "changed": False,
            "machine": chosen.machine,
            "lock": chosen.lock,
            "details": dict(chosen.details),
            "reachable": list(chosen.reachable),
            "arguments": dict(situation.given.given),
            **RunIntent.of_operation(situation.fleet, chosen, run).to_dict(),
        }

    def _do(self, procedure: Procedure, situation: Situation, variables: Any) -> Result:
        """Return the report; a failure fails here only where it ends the run at once, else when it is judged."""
        done = procedure.do(situation, variables[_PLANNED]["details"])
        report, failure = done.report.to_dict(), done.report.failure
        result = {"changed": done.changed, "report": report, "failure": failure, "summary": done.summary, **done.told}
        failed = done.at_once and not done.report.ok
        return {**result, "failed": failed, "msg": failure if failed else done.summary}

    def _remember(self, procedure: Procedure, situation: Situation, variables: Any) -> Result:  # noqa: ARG002
        return {"changed": procedure.remember(situation, self._task.args["done"]["report"])}

    def _judge(self, procedure: Procedure, situation: Situation, variables: Any) -> Result:  # noqa: ARG002
        done: Mapping[str, Any] = self._task.args["done"]
        if not done["report"]["ok"]:
            return {"failed": True, "changed": False, "msg": done["failure"]}
        if done["summary"] and not in_front():
            self._display.display(done["summary"])
        return {"changed": False, "msg": done["summary"]}

    def _say(self, event: TimelineEvent) -> None:
        tell(self._display, event)
