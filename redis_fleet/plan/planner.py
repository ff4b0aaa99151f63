"""(Fleet, Observed) → Plan. Pure: the same function says what ``plan`` prints and what ``deploy`` does.

It knows three situations: a first deployment, nothing to do, and a process that is down. Any other difference is a
refusal that says what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.plan import differences, machines
from redis_fleet.plan.masters import agree, is_new
from redis_fleet.plan.starting import unsafe_start
from redis_fleet.plan.steps import STAGES, Agreement, Plan, Stage, Step
from redis_fleet.remote.hurry import DELAY
from redis_fleet.render.files import unit_file
from redis_fleet.sums import sha256

# What AUTH is answered, or a command without it; the last one where a server has no password at all.
_OTHER_PASSWORD = ("WRONGPASS", "NOAUTH", "ERR invalid password", "ERR AUTH ", "ERR Client sent AUTH")
_NOT_YET = "redis-fleet cannot apply this to a running deployment yet"


def plan(fleet: Fleet, seen: Observed) -> Plan:
    """Return what has to be done, in order, or why nothing may be done."""
    out_of_reach = tuple(_out_of_reach(fleet, seen))
    if out_of_reach:
        return Plan(refusals=out_of_reach)
    found = _Findings(fleet, seen)
    for machine in fleet.machines:
        found.machine(machine)
    for service in fleet.services:
        found.service(service)
    for process in fleet.sentinels:
        found.sentinel(process)
    notes = tuple(note for name in fleet.machines for note in machines.notes(fleet, name, seen.machines[name]))
    if found.refusals:
        return Plan(refusals=tuple(dict.fromkeys(found.refusals)), notes=notes, masters=found.masters)
    steps = sorted(found.steps, key=lambda step: STAGES.index(step.stage))
    return Plan(tuple(steps), notes=notes, masters=found.masters, machines=tuple(fleet.machines))


def _out_of_reach(fleet: Fleet, seen: Observed) -> Iterator[str]:
    for name in fleet.machines:
        facts = seen.machines.get(name)
        if facts is None or facts.error:
            reason = facts.error if facts else "it was not looked at"
            yield f"{name}: cannot be reached ({reason}); nothing is done while a machine's state is unknown"


class _Findings:
    """Steps, refusals and masters while they are being gathered."""

    def __init__(self, fleet: Fleet, seen: Observed) -> None:
        self.fleet = fleet
        self.seen = seen
        self.steps: list[Step] = []
        self.refusals: list[str] = []
        self.masters: dict[str, Agreement] = {}

    def machine(self, name: str) -> None:
        facts = self.seen.machines[name]
        self.refusals += machines.refusals(self.fleet, name, facts)
        self.steps += machines.steps(self.fleet, name, facts)

    def service(self, service: Service) -> None:
        agreement = agree(self.fleet, service, self.seen)
        self.masters[service.name] = agreement
        self.refusals += agreement.why
        new = is_new(self.fleet, service, self.seen)
        for process in service.processes:
            facts = self.seen.of(process)
            if facts.answers and facts.deployed:
                self.refusals += self._differences(process, facts)
                self.steps += self._hurried(process, facts)
            elif self._fit_to_touch(process, facts):
                self._down_server(service, process, agreement, new)

    def _differences(self, process: Process, facts: ProcessFacts) -> Iterator[str]:
        if process.kind == "sentinel":
            found = [*differences.of_sentinel(self.fleet.services, process, facts)]
            found += differences.of_sentinel_file(self.fleet, process, facts)
        else:
            found = [*differences.of_server(process, facts)]
        for difference in (*found, *self._unit(process)):
            yield f"{difference}; {_NOT_YET}"

    def _hurried(self, process: Process, facts: ProcessFacts) -> Iterator[Step]:
        delay = differences.hurried(process, facts)
        if delay:
            what = f"put {DELAY} of {process.name} back to {delay}"
            yield Step(
                "settle", process.machine, process.name, what, "left at 0 by a first deployment that did not end"
            )

    def _unit(self, process: Process) -> Iterator[str]:
        if not process.paths.unit:
            return
        file = unit_file(self.fleet, process)
        if self.seen.machines[process.machine].fingerprints.get(file.path) != sha256(file.content):
            yield f"{process.id}: {file.path} is not the one of the description"

    def _fit_to_touch(self, process: Process, facts: ProcessFacts) -> bool:
        """Refuse what runs and does not answer, what systemd is about to start, and what is somebody else's."""
        if not facts.deployed and (facts.answers or facts.open is not None):
            self.refusals.append(
                f"{process.id}: something else already listens on {process.endpoint}, as there is no "
                f"{process.paths.configuration}; stop it or choose another port"
            )
        elif facts.unit.get("SubState") == "auto-restart":
            self.refusals.append(f"{process.id}: crashed, and systemd will start it again; run again when it is up")
        elif facts.pid:
            said = facts.error or "no reason known"
            what, remedy = "does not answer", "see its log"
            if said.startswith(_OTHER_PASSWORD):
                what, remedy = "has another password", "give the description that one, or change it there by hand"
            self.refusals.append(f"{process.id}: runs (pid {facts.pid}) and {what} ({said}); {remedy}")
        else:
            return True
        return False

    def _down_server(self, service: Service, process: Process, agreement: Agreement, new: bool) -> None:
        facts = self.seen.of(process)
        is_master = process.endpoint == agreement.master
        stage: Stage = "start_masters" if is_master else "start_replicas"
        if new:
            self._first_deployment(process, stage)
        elif not facts.deployed:
            self.refusals.append(f"{process.id}: is not deployed, while its service is; {_NOT_YET}")
        elif agreement.master:
            self.refusals += (f"{each}; {_NOT_YET}" for each in self._down_differences(process, facts))
            self.refusals += unsafe_start(self.fleet, service, process, agreement, self.seen)
            follow = "none" if is_master else f"{agreement.master.address} {agreement.master.port}"
            wrong = facts.follows_by_file != (None if is_master else agreement.master)
            reason = f"is down; the master is {agreement.master} ({agreement.source})"
            self.steps.append(_start(process, stage, reason, follow if wrong else ""))

    def _down_differences(self, process: Process, facts: ProcessFacts) -> Iterator[str]:
        yield from differences.of_file(self.fleet, process, facts, self.seen.machines[process.machine].version)
        yield from self._unit(process)

    def sentinel(self, process: Process) -> None:
        facts = self.seen.of(process)
        if facts.answers and facts.deployed:
            self.refusals += self._differences(process, facts)
        elif self._fit_to_touch(process, facts):
            self._down_sentinel(process, facts)

    def _down_sentinel(self, process: Process, facts: ProcessFacts) -> None:
        if facts.started_once:
            found = (*differences.of_sentinel_file(self.fleet, process, facts), *self._unit(process))
            self.refusals += (f"{each}; {_NOT_YET}" for each in found)
            self.steps.append(_start(process, "start_sentinels", "is down"))
            return
        others = any(self.seen.of(each).started_once for each in self.fleet.sentinels)
        if not facts.deployed and (others or not self._all_new()):
            self.refusals.append(f"{process.id}: is not deployed, while other processes are; {_NOT_YET}")
        elif self._moved():
            self.refusals.append(f"{process.id}: never ran, and the masters have moved since; {_NOT_YET}")
        else:
            self._first_deployment(process, "start_sentinels")

    def _all_new(self) -> bool:
        return all(is_new(self.fleet, service, self.seen) for service in self.fleet.services if service.watch)

    def _moved(self) -> bool:
        """Whether a watched service has another master than the one that sentinel.conf would name."""
        for service in self.fleet.services:
            first, agreed = service.first_master, self.masters[service.name].master
            if service.watch and agreed and first and agreed != first.endpoint:
                return True
        return False

    def _first_deployment(self, process: Process, stage: Stage) -> None:
        what = f"write {process.paths.configuration}" + (" and its unit" if process.paths.unit else "")
        reason = (
            "its first start never happened, as far as can be seen"
            if self.seen.of(process).deployed
            else "first deployment"
        )
        self.steps.append(Step("write", process.machine, process.name, what, reason))
        self.steps.append(_start(process, stage, reason, fresh=True))


_TITLES: Mapping[Stage, str] = {
    "start_masters": "as the master",
    "start_replicas": "as a replica",
    "start_sentinels": "as a Sentinel",
}


def _start(process: Process, stage: Stage, reason: str, follow: str = "", *, fresh: bool = False) -> Step:
    what = f"start {process.name} on {process.endpoint} {_TITLES[stage]}"
    if follow:
        what += " (its file first: no longer a replica)" if follow == "none" else f" (its file first: of {follow})"
    return Step(stage, process.machine, process.name, what, reason, follow, fresh)
