"""Plan on the controller from what was seen on all machines; contacts nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import TO_DEPLOY, emit, in_front
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import observations
from redis_fleet.ansible.plays import groups
from redis_fleet.ansible.runs import new_run
from redis_fleet.config_test.texts import planned
from redis_fleet.kinds import wanted_packages
from redis_fleet.model import Fleet
from redis_fleet.observe.facts import Observed, observed
from redis_fleet.plan.planner import plan
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.text import describe
from redis_fleet.platform import name_of, offered

_PATIENCE = 2.0

DOCUMENTATION = """
module: redis_fleet_plan
short_description: Plan a deployment from what was observed of all machines
description:
  - Contacts nothing. It fails with every refusal. Refusals that pass by themselves are no failure until
    it has looked often enough; again says that another look is worth while.
options:
  seen:
    description: The name of the variable with the observations.
    type: str
    default: redis_fleet_observed
  confirm:
    description: Whether anything that is left to do is a failure.
    type: bool
    default: false
  service:
    description: The name of a service; then only its master matters, not what else differs.
    type: str
  purge:
    description: Whether the data of processes that left goes too.
    type: bool
    default: false
  looks:
    description: How often it may look.
    type: int
    default: 1
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Contacts nothing; waits where what is in the way passes by itself."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the plan; fails with every refusal."""
        super().run(tmp, task_vars)
        given = arguments(self, DOCUMENTATION)
        fleet = fleet_of(task_vars)
        seen = observed(observations(fleet, task_vars["hostvars"], given["seen"]))
        made = plan(fleet, seen, purge=given["purge"])
        run = new_run("deploy", self._play_context.connection_lockfd)
        done = 1 + int(task_vars.get("redis_fleet_planned", {}).get("looks", 0))
        again = made.transient and done < given["looks"]
        result = {
            "changed": False,
            **made.to_dict(),
            "groups": groups(made),
            "packages": _packages(fleet, seen),
            "run": run,
        }
        result["purpose"] = "" if given["confirm"] or given["service"] else TO_DEPLOY
        result |= {"looks": done, "again": again}
        _choose_trials(fleet, seen, result)
        if service := given["service"]:
            agreed = made.masters.get(service)
            why = "\n".join(map(str, agreed.why if agreed else made.refusals))
            return {**result, "failed": True, "msg": f"nothing was touched:\n{why}"} if why else result
        if again:
            self._wait(made.refusals)
            return result
        if made.refusals:
            return {
                **result,
                "failed": True,
                "msg": "\n".join(("nothing was changed:", *(f"REFUSED  {each}" for each in made.refusals))),
            }
        if given["confirm"] and made.steps:
            left = "; ".join(f"{step.machine}: {step.what} ({step.reason})" for step in made.steps)
            return {**result, "failed": True, "msg": f"after all steps there is still something to do: {left}"}
        if not given["confirm"] and not in_front():
            for warning in fleet.warnings:
                self._display.warning(str(warning))
            self._display.display(describe(result))
        return result

    def _wait(self, refusals: Sequence[Refusal]) -> None:
        """What passes by itself takes Sentinel some seconds; the next look comes after this."""
        text = f"waiting: {refusals[0]}"
        if in_front():
            emit("waiting", text=text)
        else:
            self._display.display(text)
        time.sleep(_PATIENCE)


def _choose_trials(fleet: Fleet, seen: Observed, result: dict[str, Any]) -> None:
    """Say where files are tried at once, and where only ``later``: the server has to be installed first."""
    machines = [machine for machine in fleet.machines if planned(fleet, machine, result["steps"])]
    preparing = {step["machine"] for step in result["steps"] if step["how"] == "PREPARE"}
    bare = {name for name in preparing if set(result["packages"][name]) - set(seen.machines[name].packages)}
    result["groups"] += [{"machine": name, "group": "redis_fleet_trial"} for name in machines if name not in bare]
    result["later"] = [name for name in machines if name in bare]


def _packages(fleet: Fleet, seen: Observed) -> dict[str, list[str]]:
    found = {}
    for machine, facts in seen.machines.items():
        packages = offered(name_of(facts.system), fleet.engine)
        found[machine] = wanted_packages(fleet, machine, packages) if packages else []
    return found
