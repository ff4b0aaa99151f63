"""One step of an operation on the machines: ask, choose, do, remember or judge; see playbooks/operation.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import in_front, tell
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import observations
from redis_fleet.ansible.operating import OperatedMachine
from redis_fleet.ansible.runs import RunIntent, new_run
from redis_fleet.observe.facts import observed
from redis_fleet.operations.arguments import Arguments
from redis_fleet.operations.ports import OperationRefusedError, TimelineEvent
from redis_fleet.operations.procedure import Procedure, Situation
from redis_fleet.operations.registry import PROCEDURES

Result = dict[str, Any]
_RECORDS, _PLANNED = "redis_fleet_records", "redis_fleet_planned"

DOCUMENTATION = """
module: redis_fleet_operation
short_description: Do one step of an operation on the machines
description:
  - See playbooks/operation.yml. ask is registered as redis_fleet_records on every machine, choose as
    redis_fleet_planned; the steps after it have their arguments from there.
options:
  name:
    description: One of redis_fleet/operations/registry.py.
    type: str
    required: true
  step:
    description: Which step.
    type: str
    choices: [ask, choose, do, remember, judge]
    required: true
  arguments:
    description: What the operation is asked for.
    type: dict
  done:
    description: What do returned.
    type: dict
"""


@dataclass(frozen=True)
class _Step:
    """What a step stands on: ``done`` is the result of ``do``, ``planned`` that of ``choose``."""

    procedure: Procedure
    situation: Situation
    done: Mapping[str, Any]
    planned: Mapping[str, Any]


class ActionModule(ActionBase):  # type: ignore[misc]
    """Asks the operation's procedure for each step."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> Result:
        """Do one step."""
        super().run(tmp, task_vars)
        given = arguments(self, DOCUMENTATION)
        procedure = PROCEDURES[given["name"]]
        steps = {
            "ask": self._ask,
            "choose": self._choose,
            "do": self._do,
            "remember": self._remember,
            "judge": self._judge,
        }
        step = steps[given["step"]]
        try:
            situation = self._situation(given, task_vars)
            procedure.check(situation)
            return step(_Step(procedure, situation, given["done"] or {}, task_vars.get(_PLANNED, {})))
        except OperationRefusedError as error:
            return {"failed": True, "changed": False, "msg": error.problem}
        except RuntimeError as error:
            return {"failed": True, "changed": False, "msg": str(error)}

    def _situation(self, given: Mapping[str, Any], variables: Any) -> Situation:
        fleet, hosts = fleet_of(variables), variables["hostvars"]
        wanted = given["arguments"]
        return Situation(
            fleet=fleet,
            given=Arguments(variables[_PLANNED]["arguments"] if wanted is None else wanted),
            machine=OperatedMachine(self, variables, alone=given["step"] == "do"),
            observed=lambda: observed(observations(fleet, hosts)),
            answers={machine: hosts[machine].get(_RECORDS) or {} for machine in fleet.machines},
            say=self._say,
            trying=bool(self._task.check_mode),
        )

    def _ask(self, asked: _Step) -> Result:
        return {"changed": False, **asked.procedure.ask(asked.situation)}

    def _choose(self, asked: _Step) -> Result:
        """Return what was chosen, and what the lock and the journals want to know."""
        chosen = asked.procedure.choose(asked.situation)
        run = new_run(chosen.verb, self._play_context.connection_lockfd)
        return {
            "changed": False,
            "machine": chosen.machine,
            "lock": chosen.lock,
            "details": dict(chosen.details),
            "reachable": list(chosen.reachable),
            "arguments": dict(asked.situation.given.given),
            **RunIntent.of_operation(asked.situation.fleet, chosen, run).to_dict(),
        }

    def _do(self, asked: _Step) -> Result:
        """Return the report; a failure fails here only where it ends the run at once, else when it is judged."""
        done = asked.procedure.do(asked.situation, asked.planned["details"])
        report, failure = done.report.to_dict(), done.report.failure
        result = {"changed": done.changed, "report": report, "failure": failure, "summary": done.summary, **done.told}
        failed = done.at_once and not done.report.ok
        return {**result, "failed": failed, "msg": failure if failed else done.summary}

    def _remember(self, asked: _Step) -> Result:
        return {"changed": asked.procedure.remember(asked.situation, asked.done["report"])}

    def _judge(self, asked: _Step) -> Result:
        done = asked.done
        if not done["report"]["ok"]:
            return {"failed": True, "changed": False, "msg": done["failure"]}
        if done["summary"] and not in_front():
            self._display.display(done["summary"])
        return {"changed": False, "msg": done["summary"]}

    def _say(self, event: TimelineEvent) -> None:
        tell(self._display, event)
