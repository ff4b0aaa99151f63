"""Note how a run ended, on a machine and with the controller, and give the lock back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet import runlog
from redis_fleet.agent.messages.runs import End, ShowLock
from redis_fleet.ansible.agent import read, result_of
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import emit
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.runs import masked, state
from redis_fleet.model import Fleet
from redis_fleet.topology.state_paths import journal_file, lock_file

DOCUMENTATION = """
module: redis_fleet_end
short_description: Note the end of a run and give the lock back
description:
  - Nothing happens in check mode.
options:
  result:
    description: ok or failed.
    type: str
    choices: [ok, failed]
    default: ok
  message:
    description: Why it failed.
    type: str
    default: ''
  run:
    description: The id of the run, this run's own when it is not given; an empty one stands for whatever run
      holds the lock.
    type: str
  show:
    description: Do nothing but say who holds the lock.
    type: bool
    default: false
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Notes the end here and on the machine, then gives back."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return ``holder``, the run that has the lock then, and ``given``, the one that had it."""
        super().run(tmp, task_vars)
        asked_for = arguments(self, DOCUMENTATION)
        if self._task.check_mode:
            return {"changed": False, "skipped": True, "msg": "nothing is locked in check mode"}
        fleet, machine = fleet_of(task_vars), task_vars["inventory_hostname"]
        if asked_for["show"]:
            return self._show(fleet, machine, task_vars)
        given = asked_for["run"]
        run = task_vars["redis_fleet_planned"]["run"]["id"] if given is None else str(given)
        told = {"result": asked_for["result"]}
        if message := masked(fleet, asked_for["message"]):
            told["message"] = message[:2000]
        # Before the machine is asked, which may be away; from whichever machine's task comes first.
        self._note(fleet, run, told)
        asked = End(lock_file(fleet, machine), journal_file(fleet, machine), run, **told)
        result = result_of(self, asked, task_vars)
        if "answer" not in result:
            return result
        answer = read(End, result)
        emit("unlocked", machine=machine)
        if not run and answer.given:
            self._note(fleet, answer.given.id, told)
        if given is None and answer.holder:
            self._display.warning(f"{machine}: the lock was taken away meanwhile by {answer.holder.owner}")
        return result

    def _note(self, fleet: Fleet, run: str, told: Mapping[str, str]) -> None:
        problem = runlog.end(runlog.place_of(fleet), run, told["result"], told.get("message", "")) if run else ""
        if problem:
            self._display.warning(problem)

    def _show(self, fleet: Fleet, machine: str, task_vars: Any) -> dict[str, Any]:
        result = result_of(self, ShowLock(lock_file(fleet, machine)), task_vars)
        held = read(ShowLock, result).holder if "answer" in result else None
        if held:
            # A file that is no lock says nothing else of its run.
            known = held.to_json() if held.id else {"id": "", "owner": held.owner, "time": held.time}
            emit("held", machine=machine, holder=known, state=state(known))
        return result
