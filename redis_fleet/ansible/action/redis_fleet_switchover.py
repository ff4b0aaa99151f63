"""Change the master of a service: from the machine that this runs for, with a record on all where it is needed.

A run has five parts: ``ask`` each machine for its records, ``choose`` one that answers, ``switch`` from there, ``note``
the new master everywhere, ``judge``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.messages.handover import AskManualMasters, NoteManualMaster
from redis_fleet.ansible.calls import caller
from redis_fleet.ansible.events import tell
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.runs import new_run
from redis_fleet.ansible.switching import promote, switch
from redis_fleet.model import Fleet
from redis_fleet.operations.ports import TimelineEvent
from redis_fleet.topology.state_paths import masters_file


class ActionModule(ActionBase):  # type: ignore[misc]
    """``to`` is a machine or process, empty for the fittest; ``promote`` where there is no master and no Sentinel.

    ``records`` names the variable with the answers to ``ask``, ``report`` is what ``switch`` returned.
    """

    _VALID_ARGS = frozenset({"service", "part", "to", "promote", "measure", "records", "report"})

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Do one part."""
        super().run(tmp, task_vars)
        if self._task.check_mode:
            return {"failed": True, "msg": "nothing was touched: a switchover cannot be tried, only done"}
        fleet, part = fleet_of(task_vars), self._task.args.get("part", "switch")
        service = self._task.args["service"]
        if service not in {each.name for each in fleet.services}:
            known = ", ".join(each.name for each in fleet.services)
            return {"failed": True, "msg": f"nothing was touched: there is no service '{service}'; there are {known}"}
        parts = {
            "ask": self._ask,
            "choose": self._choose,
            "switch": self._switch,
            "note": self._note,
            "judge": self._judge,
        }
        try:
            return dict(parts[part](fleet, service, task_vars))
        except RuntimeError as error:
            return {"failed": True, "changed": False, "msg": str(error)}

    def _given(self, name: str, default: bool) -> bool:
        """Return an argument that is a truth; a variable of the command line is a text."""
        return str(self._task.args.get(name, default)).lower() in ("true", "yes", "1", "on")

    def _ask(self, fleet: Fleet, service: str, variables: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return the records of this machine; that it answers is worth knowing too."""
        answer = caller(self, variables)(AskManualMasters(self._path(fleet, variables)))
        return {"changed": False, "records": answer.to_json()["records"]}

    def _path(self, fleet: Fleet, variables: Any) -> str:
        return masters_file(fleet, variables["inventory_hostname"])

    def _choose(self, fleet: Fleet, service: str, variables: Any) -> dict[str, Any]:
        """Return the ``machine`` to work from: the wanted one, else one of the service, that answers."""
        to = self._task.args.get("to") or ""
        own = [process.machine for process in fleet.service(service).processes]
        usable = [
            name for name in dict.fromkeys([to.rpartition("@")[2], *own, *fleet.machines]) if name in fleet.machines
        ]
        for machine in usable:
            if "records" in self._answers(variables, machine):
                return {"changed": False, "machine": machine, **self._plan(fleet, service, variables)}
        return {"failed": True, "msg": "nothing was touched: no machine can be reached"}

    def _plan(self, fleet: Fleet, service: str, variables: Any) -> dict[str, Any]:
        """Return what the lock and the journals want to know of this run."""
        verb = "promote" if self._given("promote", default=False) else "switchover"
        reachable = [machine for machine in fleet.machines if "records" in self._answers(variables, machine)]
        what = " ".join(filter(None, (verb, service, self._task.args.get("to"))))
        step = {"number": 1, "stage": "roll", "machine": "", "process": "", "how": "SWITCHOVER", "what": what}
        return {
            "run": new_run(verb, self._play_context.connection_lockfd),
            "steps": [{**step, "machine": machine, "reason": "asked for"} for machine in reachable],
            "notes": [],
            "masters": {},
            "reachable": reachable,
            "lost": [machine for machine in fleet.machines if machine not in reachable],
        }

    def _answers(self, variables: Any, machine: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = variables["hostvars"][machine].get(self._task.args["records"]) or {}
        return found

    def _switch(self, fleet: Fleet, service: str, variables: Any) -> dict[str, Any]:
        """Return the result; what went wrong after a promotion is a failure only when the records are written."""
        to = self._task.args.get("to") or None
        if self._given("promote", default=False):
            result = promote(self, variables, fleet, service, to, self._say)
        else:
            result = switch(self, variables, fleet, service, to, self._say, self._given("measure", default=True))
        return {**result, "failed": False, "msg": ""} if result["changed"] else result

    def _judge(self, fleet: Fleet, service: str, variables: Any) -> dict[str, Any]:  # noqa: ARG002
        report = self._task.args["report"]
        verdict = {} if report["ok"] else {"failed": True, "msg": "\n".join(report["problems"])}
        return {"changed": False, **verdict}

    def _note(self, fleet: Fleet, service: str, variables: Any) -> dict[str, Any]:
        """Note here who is the master now, unless Sentinels remember it or nothing was changed."""
        report = self._task.args["report"]
        if fleet.service(service).watch or report["new_master"] in ("", report["old_master"]):
            return {"changed": False}
        master = next(
            str(each.endpoint) for each in fleet.service(service).processes if each.id == report["new_master"]
        )
        asked = [self._answers(variables, machine).get("records", {}) for machine in fleet.machines]
        number = 1 + max((record["number"] for records in asked if (record := records.get(service))), default=0)
        caller(self, variables)(NoteManualMaster(self._path(fleet, variables), service, master, number))
        return {"changed": True}

    def _say(self, event: TimelineEvent) -> None:
        tell(self._display, event)
