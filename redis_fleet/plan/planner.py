"""(Fleet, Observed) → Plan. Pure: the same function says what ``plan`` prints and what ``deploy`` does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from redis_fleet.agent.messages.orders import Demote, Rewrite, SetDirectives
from redis_fleet.agent.process.first_sync import DELAY
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.plan import announcing, certificates, closing, machines, passwords, removal, sentinel_changes, users
from redis_fleet.plan.change_method import after_restart, decide, live_step, unit_difference, writing_unit
from redis_fleet.plan.diff import hurried, of_server
from redis_fleet.plan.master import agree, astray, is_new, members
from redis_fleet.plan.plan import Agreement, Plan
from redis_fleet.plan.refusal import Refusal, distinct
from redis_fleet.plan.rolling import Need, restart_auxiliary, restart_sentinel, roll
from redis_fleet.plan.starting import (
    Found,
    down_auxiliary,
    down_sentinel,
    down_server,
    unfit_to_touch,
    unreadable,
)
from redis_fleet.plan.steps import STAGES, Change, ChangeLive, Confirm, FinishSwitchover, Restart, Step, WriteUnit
from redis_fleet.settings.shares import with_memory


def plan(fleet: Fleet, seen: Observed, *, purge: bool = False, now: datetime | None = None) -> Plan:
    """Return what has to be done, in order, or why nothing may be done.

    With ``purge`` the data of processes that left the description goes too. ``now`` is what certificates are held
    against (None: the clock).
    """
    out_of_reach = tuple(_out_of_reach(fleet, seen))
    if out_of_reach:
        return Plan(refusals=out_of_reach)
    fleet = with_memory(fleet, seen.memory)
    if overshared := tuple(machines.memory_refusals(fleet, seen)):
        return Plan(refusals=overshared)
    found = _Findings(fleet, seen, now or datetime.now(UTC))
    for machine in fleet.machines:
        found.machine(machine)
    for service in fleet.services:
        found.service(service)
    for process in fleet.sentinels:
        found.sentinel(process)
    for process in fleet.auxiliary:
        found.auxiliary(process)
    found.departures(purge=purge)
    notes = [note for name in fleet.machines for note in machines.notes(fleet, name, seen.machines[name])]
    notes += users.notes(fleet, seen)
    notes += [*machines.running(fleet, seen), *machines.shares(fleet, seen)]
    if not purge:
        notes += removal.notes(seen)
    if found.refusals:
        return Plan(refusals=distinct(found.refusals), notes=tuple(notes), masters=found.masters)
    steps = sorted(found.steps, key=lambda step: STAGES.index(step.stage))
    return Plan(tuple(steps), notes=tuple(notes), masters=found.masters, machines=tuple(fleet.machines))


def _out_of_reach(fleet: Fleet, seen: Observed) -> Iterator[Refusal]:
    for name in fleet.machines:
        facts = seen.machines.get(name)
        if facts is None or facts.error:
            reason = facts.error if facts else "it was not looked at"
            remedy = "nothing is done while a machine's state is unknown"
            yield Refusal("machine-unreachable", name, f"cannot be reached ({reason})", remedy)


class _Findings:
    """Steps, refusals and masters while they are being gathered."""

    def __init__(self, fleet: Fleet, seen: Observed, now: datetime) -> None:
        self.fleet = fleet
        self.seen = seen
        self.now = now
        self.steps: list[Step] = []
        # Sentinels are restarted when those that are gone are forgotten: until then these count for the majority.
        self.last: list[Restart] = []
        self.refusals: list[Refusal] = []
        self.masters: dict[str, Agreement] = {}

    def machine(self, name: str) -> None:
        facts = self.seen.machines[name]
        self.refusals += machines.refusals(self.fleet, name, facts)
        self.steps += machines.steps(self.fleet, name, facts)

    def service(self, service: Service) -> None:
        agreement = agree(self.fleet, service, self.seen)
        self.masters[service.name] = agreement
        self.refusals += list(announcing.moved(service, self.seen)) or agreement.why
        new = is_new(self.fleet, service, self.seen)
        needs: dict[Process, Need] = {}
        arriving = set()
        for process in service.processes:
            facts = self.seen.of(process)
            if facts.answers and facts.deployed:
                needs |= self._running_server(service, process, facts, agreement)
            elif self._fit_to_touch(process, facts):
                self._take(down_server(self.fleet, service, process, agreement, self.seen, new=new))
                self._down_certificate(process, facts)
                arriving.add(process)
        if agreement.master is None or new:
            return
        if apart := sentinel_changes.unheard(self.fleet, service, self.seen):
            self.refusals.append(apart)
        rolled = roll(self.fleet, service, agreement, self.seen, needs, frozenset(arriving))
        self.steps += rolled.steps
        self.refusals += rolled.refusals
        self.steps += passwords.of_service(self.fleet, service, self.seen)
        everyone = members(service, self.seen)
        self.refusals += passwords.refusals(service, everyone, self.seen, agreement.master, arriving)
        self.refusals += removal.unknown_peers(self.fleet, service, self.seen, agreement)

    def _running_server(
        self, service: Service, process: Process, facts: ProcessFacts, agreement: Agreement
    ) -> Mapping[Process, Need]:
        """Plan what can be done while it runs; return what it has to be restarted for."""
        finished = agreement.master and astray(service, process, facts, self.seen, agreement.master)
        if finished and agreement.master:
            self.steps.append(_finish(process, facts, agreement, finished))
        if facts.file_error:
            self.refusals.append(unreadable(process, facts))
            return {}
        if reason := self._certificate(process, facts):
            self.steps.append(certificates.renewal(process, facts, reason))
        delay = hurried(process, facts)
        if delay:
            self.steps.append(_calm(process, delay, settled=not is_new(self.fleet, service, self.seen)))
        self.refusals += users.refusals(process, facts)
        self.steps += users.of_process(process, facts)
        self.steps += closing.of_server(service, process, facts)
        changes = [decide(process, facts, change) for change in of_server(process, facts)]
        if finished:
            # The demotion puts it back.
            changes = [each for each in changes if each.directive not in ("min-replicas-to-write",)]
        return self._apply(process, facts, changes)

    def _certificate(self, process: Process, facts: ProcessFacts) -> str:
        """Return why a running process gets a new certificate; empty where it does not, or must not."""
        reason = certificates.due(process, facts, self.now)
        refused = certificates.refusal(process, facts, self.now) if reason else None
        self.refusals += [refused] if refused else []
        return "" if refused else reason

    def _down_certificate(self, process: Process, facts: ProcessFacts) -> None:
        """Plan the certificate of a process that ran before and is down; one that is new gets it with its files."""
        if facts.deployed and facts.started_once and (reason := certificates.due(process, facts, self.now)):
            self.steps.append(certificates.writing(process, reason))

    def _apply(self, process: Process, facts: ProcessFacts, changes: list[Change]) -> Mapping[Process, Need]:
        unit = unit_difference(self.fleet, process, self.seen)
        if unit == "restart":
            changes = [after_restart(change) for change in changes]
        self._refused(process, changes)
        live = [change for change in changes if change.how == "LIVE"]
        if live:
            self.steps.append(live_step(process, facts, live))
        restart = tuple(change for change in changes if change.how == "RESTART")
        if unit == "reload":
            self.steps.append(self._unit(process))
        if restart or unit == "restart":
            return {process: Need(restart, unit=unit == "restart")}
        return {}

    def _refused(self, process: Process, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.how == "REFUSED":
                self.refusals.append(Refusal("directive-refused", process.id, f"{change}: {change.reason}"))

    def _fit_to_touch(self, process: Process, facts: ProcessFacts) -> bool:
        why = unfit_to_touch(self.fleet, process, facts)
        if why:
            self.refusals.append(why)
        return why is None

    def _take(self, found: Found) -> None:
        steps, refusals = found
        self.steps += steps
        self.refusals += refusals

    def sentinel(self, process: Process) -> None:
        facts = self.seen.of(process)
        if facts.answers and facts.deployed:
            self._running_sentinel(process, facts)
        elif self._fit_to_touch(process, facts):
            missed = self._missed(process, facts) if facts.started_once and facts.deployed else ()
            self._take(down_sentinel(self.fleet, process, self.masters, self.seen, missed))
            self._down_certificate(process, facts)

    def _missed(self, process: Process, facts: ProcessFacts) -> tuple[str, ...]:
        """Plan what a Sentinel that was down has missed; return the settings that have to be in its file before."""
        version = self.seen.machines[process.machine].version or ""
        will = sentinel_changes.coming_back(facts, self.fleet.engine, version)
        findings = list(sentinel_changes.of_sentinel(self.fleet, process, will, self.masters))
        live = [finding for finding in findings if finding.change.how == "LIVE"]
        if live:
            self.steps.append(sentinel_changes.watch_step(process, live))
        for service in self.fleet.services:
            self.steps += passwords.watching(service, process, will)
        return (*sentinel_changes.restart_settings(findings), *passwords.in_file(process, will))

    def _running_sentinel(self, process: Process, facts: ProcessFacts) -> None:
        if facts.file_error:
            self.refusals.append(unreadable(process, facts))
            return
        findings = list(sentinel_changes.of_sentinel(self.fleet, process, facts, self.masters))
        self._refused(process, [finding.change for finding in findings])
        live = [finding for finding in findings if finding.change.how == "LIVE"]
        if live:
            self.steps.append(sentinel_changes.watch_step(process, live))
        self.refusals += users.refusals(process, facts)
        self.steps += users.of_process(process, facts)
        self.steps += closing.of_sentinel(process, facts)
        self.steps += passwords.of_sentinel(process, facts)
        settings = sentinel_changes.restart_settings(findings)
        changes = [finding.change for finding in findings if finding.change.how == "RESTART"]
        if passwords.needs_restart(process, facts):
            settings = (*settings, "requirepass")
            changes.append(
                Change("requirepass", "********", "********", "RESTART", "Sentinel 6.0 reads it at the start")
            )
        unit = unit_difference(self.fleet, process, self.seen)
        if unit == "reload":
            self.steps.append(self._unit(process))
        certificate = self._certificate(process, facts)
        if changes or certificate or unit == "restart":
            need = Need(tuple(changes), unit=unit == "restart", certificate=certificate)
            self.last.append(restart_sentinel(process, need, settings))

    def auxiliary(self, process: Process) -> None:
        facts = self.seen.of(process)
        if facts.answers and facts.deployed:
            unit = unit_difference(self.fleet, process, self.seen)
            if unit == "reload":
                self.steps.append(self._unit(process))
            elif unit:
                self.last.append(restart_auxiliary(process))
        elif self._fit_to_touch(process, facts):
            self._take(down_auxiliary(self.fleet, process, self.seen))

    def _unit(self, process: Process) -> WriteUnit:
        what = writing_unit(self.fleet, process, self.seen)
        return WriteUnit(process.machine, process.name, what, "it differs; systemd reads it again", how="LIVE")

    def departures(self, *, purge: bool) -> None:
        self.refusals += removal.refusals(self.fleet, self.seen, purge=purge)
        self.steps += removal.leaving(self.fleet, self.seen, purge=purge)
        for service in self.fleet.services:
            if self.masters[service.name].master:
                self.steps += removal.forgetting(self.fleet, service, self.seen)
        self.steps += self.last


def _calm(process: Process, delay: str, *, settled: bool) -> ChangeLive | Confirm:
    """While a first deployment goes on its end does it; else at once: a CONFIG REWRITE would write it down."""
    what = f"put {DELAY} of {process.name} back to {delay}"
    reason = "left at 0 by a first deployment that did not end"
    if not settled:
        return Confirm(process.machine, process.name, what, reason)
    orders = (SetDirectives(((DELAY, delay),)), Rewrite())
    return ChangeLive(process.machine, process.name, what, reason, stage="live_replicas", orders=orders)


def _finish(process: Process, facts: ProcessFacts, agreement: Agreement, reason: str) -> FinishSwitchover:
    """End a switchover that somebody began: the old master becomes a replica, and takes writes again when promoted."""
    assert agreement.master is not None
    setting = process.setting("min-replicas-to-write")
    least = setting.lines[0][0] if setting else "0"
    return FinishSwitchover(
        process.machine,
        process.name,
        f"make {process.name} a replica of {agreement.master}",
        reason,
        orders=(Demote(f"{agreement.master.address} {agreement.master.port}", least),),
        expect=facts.role_name,
        interruption=f"what only {process.id} holds is replaced by what the master holds",
    )
