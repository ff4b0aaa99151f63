"""Take the lock of the deployment on a machine before the first change; a second task judges whether all were taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from redis_fleet import runlog
from redis_fleet.agent.messages.runs import Begin, Begun, End, LoggedStep, Run
from redis_fleet.agent.runs.runlog import WITHDRAWN
from redis_fleet.ansible.agent import ask
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import emit
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import OBSERVED
from redis_fleet.ansible.runs import RunIntent, masked, refusal, state
from redis_fleet.model import Fleet
from redis_fleet.topology.state_paths import journal_file, lock_file

_MOVED = "another run changed this deployment meanwhile; run again"

DOCUMENTATION = """
module: redis_fleet_begin
short_description: Take the lock of the deployment on a machine, or judge what all machines said
description:
  - Without taken it tries, and fails never. A run that did not get the lock everywhere gives back what
    it got, and stops. Nothing happens in check mode. It needs redis_fleet_planned, and
    redis_fleet_observed where it was observed.
options:
  taken:
    description: The name of the variable with the answers of all machines, which are then judged.
    type: str
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Tries, or judges; ``redis_fleet_planned`` is a ``RunIntent``."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return ``refused`` (empty: the lock is taken) and what was taken over."""
        super().run(tmp, task_vars)
        taken = arguments(self, DOCUMENTATION)["taken"]
        if self._task.check_mode:
            return {"changed": False, "skipped": True, "msg": "nothing is locked in check mode"}
        fleet = fleet_of(task_vars)
        if taken:
            return self._judge(fleet, taken, task_vars)
        try:
            return {"changed": False, **self._try(fleet, task_vars)}
        except (AnsibleConnectionFailure, RuntimeError) as error:
            return {"changed": False, "refused": f"the lock cannot be taken: {error}"}

    def _try(self, fleet: Fleet, task_vars: Any) -> dict[str, Any]:
        answer = self._begin(fleet, task_vars, "")
        held, told = answer.holder, {}
        if held and state(held.to_json()) == "dead":
            if held.id in task_vars.get(OBSERVED, {}).get("at_work", ()):
                # It was killed after this machine was looked at: what it did in between was not seen.
                return {"refused": _MOVED}
            told = {"took_over": f"the lock of {held.owner} since {held.time}, a run that was killed"}
            answer = self._begin(fleet, task_vars, held.id)
            held = answer.holder
        if held:
            return {"refused": refusal(held.to_json(), fleet.source)}
        if answer.moved:
            return {"refused": _MOVED}
        emit("locked", machine=task_vars["inventory_hostname"], run=_intent(task_vars).run["id"])
        return {"refused": "", **told}

    def _begin(self, fleet: Fleet, task_vars: Any, take_over: str) -> Begun:
        machine, intent = task_vars["inventory_hostname"], _intent(task_vars)
        asked = Begin(
            lock=lock_file(fleet, machine),
            journal=journal_file(fleet, machine),
            run=Run.from_json(intent.run),
            take_over=take_over,
            seen=task_vars.get(OBSERVED, {}).get("answer", {}).get("last_run"),
            steps=tuple(_logged(step) for step in masked(fleet, intent.on(machine))),
        )
        return ask(self, asked, task_vars)

    def _judge(self, fleet: Fleet, name: str, task_vars: Any) -> dict[str, Any]:
        """Fail where the lock was refused; elsewhere give it back if it was refused anywhere."""
        intent = _intent(task_vars)
        # A switchover may have to do without a machine that is lost.
        wanted = [each for each in fleet.machines if each not in intent.lost]
        answers = {machine: task_vars["hostvars"][machine].get(name, {}) for machine in wanted}
        refused = {machine: each.get("refused", "the lock was not asked for") for machine, each in answers.items()}
        machine, run = task_vars["inventory_hostname"], intent.run
        if not any(refused.values()):
            if machine == wanted[0]:
                self._note(fleet, intent)
            return {"changed": False, "run": run["id"]}
        if refused[machine]:
            return {"failed": True, "changed": False, "msg": f"nothing was changed: {refused[machine]}"}
        playing = task_vars["ansible_play_hosts_all"]
        absent = [other for other, why in refused.items() if why and other not in playing]
        withdrawn = End(lock_file(fleet, machine), journal_file(fleet, machine), run["id"], WITHDRAWN)
        ask(self, withdrawn, task_vars)
        emit("unlocked", machine=machine)
        if absent:
            said = f"nothing was changed: the lock is for the whole deployment; left out: {', '.join(absent)}"
            return {"failed": True, "changed": False, "msg": said}
        return {"changed": False, "msg": "given back"}

    def _note(self, fleet: Fleet, intent: RunIntent) -> None:
        plan = {"steps": masked(fleet, intent.steps), "notes": masked(fleet, intent.notes), "masters": intent.masters}
        if problem := runlog.begin(runlog.place_of(fleet), intent.run, plan):
            self._display.warning(problem)


def _intent(task_vars: Any) -> RunIntent:
    return RunIntent.planned(task_vars["redis_fleet_planned"])


def _logged(step: Mapping[str, Any]) -> LoggedStep:
    # Named one by one: whatever else a step may have some day does not get into the journal by itself.
    return LoggedStep(*(step.get(name) for name in ("number", "process", "how", "what", "reason")))
