"""The order in which a service's servers are restarted: replicas one at a time, a switchover, then the old master.

A master that a replica can stand in for is never restarted, and never two processes at once. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from redis_fleet import kinds
from redis_fleet.agent import engine_words
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import MemberView
from redis_fleet.agent.replication.findings import Code, Finding
from redis_fleet.agent.replication.fitness import barred, misplaced, out_of_step
from redis_fleet.catalogue.check import persists, value_of
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import Observed
from redis_fleet.plan.master import members
from redis_fleet.plan.plan import Agreement
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.steps import Change, Restart, Step, Switchover
from redis_fleet.rulebook import decides
from redis_fleet.rules import persistence

_ELECTED = "writes to {service} are refused for about 0.1 s while {old} hands over (0 acknowledged writes lost)"
_GAP = "writes to {service} are refused for about 1 s while {old} hands over (0 acknowledged writes lost)"
_MOVES = "writes to {service} are refused for less than 1 s; no Sentinel tells clients that they find it at {new} then"


@dataclass(frozen=True)
class Need:
    """Why a process has to be restarted: directives, its unit, and what is wrong with its ``certificate``."""

    changes: tuple[Change, ...] = ()
    unit: bool = False
    certificate: str = ""

    @property
    def edit(self) -> tuple[str, ...]:
        """The settings to bring into its file while it is down."""
        return tuple(dict.fromkeys(change.directive for change in self.changes))

    @property
    def reason(self) -> str:
        """All reasons, each once."""
        own = ["its unit gives it other limits or folders"] if self.unit else []
        own += [f"its certificate: {self.certificate}"] if self.certificate else []
        return "; ".join(dict.fromkeys([*(change.reason for change in self.changes), *own]))


@dataclass
class Rolled:
    """The steps of one service in order, or why they cannot be taken; the master at the end of them."""

    steps: list[Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    master: Endpoint | None = None


def roll(
    fleet: Fleet,
    service: Service,
    agreement: Agreement,
    seen: Observed,
    needs: Mapping[Process, Need],
    arriving: frozenset[Process] = frozenset(),
) -> Rolled:
    """Return how a service's needs are met; a master that leaves the description needs a switchover too.

    ``arriving`` are processes that this very plan starts before: they will be fit by then.
    """
    rolled = Rolled(master=agreement.master)
    everyone = members(service, seen)
    master = next((each for each in everyone if each.announced == agreement.master), None)
    for process in service.processes:
        if process in needs and process != master:
            rolled.steps.append(_restart(fleet, service, process, needs[process], agreement.master, seen))
    if master is not None and (master in needs or master not in service.processes):
        _move(fleet, service, master, seen, needs, arriving, rolled)
    return rolled


def _move(
    fleet: Fleet,
    service: Service,
    master: Process,
    seen: Observed,
    needs: Mapping[Process, Need],
    arriving: frozenset[Process],
    rolled: Rolled,
) -> None:
    others = [each for each in members(service, seen) if each != master]
    fit = list(_fit(fleet, service, master, seen, arriving))
    watching = _still_watching(service, master, seen)
    if fit and watching:
        reason = f"{', '.join(watching)} would leave and still watch it, and would undo a switchover"
        remedy = "take them out in a run of its own first"
        rolled.refusals.append(Refusal("watched-by-leaving", service.name, reason, remedy))
    elif fit:
        rolled.steps.append(_switchover(fleet, service, master, fit[0], _why_move(master, needs)))
        rolled.master = fit[0].announced
        if master in needs:
            rolled.steps.append(_restart(fleet, service, master, needs[master], fit[0].announced, seen))
    elif others or master not in service.processes:
        what = "has to restart" if master in service.processes else "is no longer in this file"
        fitness = "no replica is fit to take over (link up, replica-priority not 0)"
        reason = f"{master.id} is the master and {what}, and {fitness}"
        rolled.refusals.append(Refusal("no-fit-replica", service.name, reason, "bring one in step first"))
    elif _loses_all(master, seen):
        reason = f"has to restart ({needs[master].reason}) and holds {seen.of(master).keys} keys in memory only"
        remedy = "give it save points or appendonly first, or empty it"
        rolled.refusals.append(Refusal("memory-only", master.id, reason, remedy))
    else:
        rolled.steps.append(_restart(fleet, service, master, needs[master], None, seen))


def _still_watching(service: Service, master: Process, seen: Observed) -> list[str]:
    """Return the Sentinels that are about to leave and know a service that is no longer to be watched."""
    known = [
        each for each in seen.strangers if any(v.endpoint == master.announced for v in each.facts.masters.values())
    ]
    return [] if service.watch else [each.process.id for each in known if each.runs]


def _why_move(master: Process, needs: Mapping[Process, Need]) -> str:
    if master in needs:
        return f"{master.id} has to restart and a replica can stand in for it"
    return f"{master.id} is no longer in this file"


def _fit(
    fleet: Fleet, service: Service, master: Process, seen: Observed, arriving: frozenset[Process]
) -> Iterator[Process]:
    """Yield the described replicas that can take over, the one that the description would start as master first."""
    ordered = sorted(service.processes, key=lambda each: each.follows is not None)
    for process in ordered:
        found = {each.code for each in _unfit(fleet, process, master, seen)}
        # What arrives is in step by then.
        if process != master and not (found & {Code.NEVER_PROMOTED} if process in arriving else found):
            yield process


def _unfit(fleet: Fleet, process: Process, master: Process, seen: Observed) -> list[Finding]:
    facts = seen.of(process)
    # As described: what differs is put right before anything rolls.
    priority = value_of(fleet.engine, process, "replica-priority")
    replica = MemberView(
        process.id,
        problem="" if facts.answers else facts.error or "no answer",
        role=facts.role_name,
        link_up=engine_words.value(facts.info, "master_link_status") == "up",
        priority=0 if priority == "0" else 1,
    )
    place = str(master.announced)
    return [*misplaced(replica, place, str(facts.follows)), *out_of_step(replica, place, 0), *barred(replica)]


def _loses_all(process: Process, seen: Observed) -> bool:
    return bool(seen.of(process).keys) and not persists(process.plain)


def _switchover(fleet: Fleet, service: Service, old: Process, new: Process, reason: str) -> Switchover:
    # A lone Sentinel has no other in whose name it could be told of a result.
    elected = service.watch is not None and len(fleet.sentinels) > 1
    text = _ELECTED if elected else _GAP if service.watch else _MOVES
    by = " by election" if elected else " by a failover of Sentinel's" if service.watch else ""
    return Switchover(
        new.machine,
        new.name,
        f"switch {service.name} over from {old.id} to {new.id}{by}",
        reason,
        service=service.name,
        to=new.id,
        interruption=text.format(service=service.name, old=old.id, new=new.announced),
    )


def _restart(
    fleet: Fleet, service: Service, process: Process, need: Need, master: Endpoint | None, seen: Observed
) -> Restart:
    """Return the restart of a replica of ``master``, or of a lone master (None)."""
    follow = "none" if master is None else f"{master.address} {master.port}"
    return Restart(
        process.machine,
        process.name,
        f"restart {process.name}" + (" as a replica" if master else ""),
        need.reason,
        follow=follow,
        changes=need.changes,
        edit=need.edit,
        unit=need.unit,
        expect="replica" if master else "master",
        interruption=_interruption(fleet, service, process, master, seen),
        service=service.name,
    )


@decides(persistence.AOF_COPIES_ALL)
def _interruption(fleet: Fleet, service: Service, process: Process, master: Endpoint | None, seen: Observed) -> str:
    if master is None:
        return f"{service.name} is down while {process.id} restarts and loads its data"
    least = int(value_of(fleet.engine, process, "min-replicas-to-write") or 0)
    attached = len([each for each in members(service, seen) if seen.of(each).answers]) - 1
    if least and attached - 1 < least:
        return f"writes to {service.name} are refused while {process.id} restarts: min-replicas-to-write is {least}"
    # A replica with an AOF never continues where it was.
    copies = ", and copies all data from its master: it has an AOF" if _has_log(fleet, process) else ""
    return f"none for writes; {process.id} serves no reads while it restarts{copies}"


def _has_log(fleet: Fleet, process: Process) -> bool:
    return value_of(fleet.engine, process, "appendonly") == "yes"


def restart_sentinel(process: Process, need: Need, settings: tuple[str, ...]) -> Restart:
    """Return the restart of a Sentinel with some ``settings`` brought into its file."""
    return Restart(
        process.machine,
        process.name,
        f"restart {process.name}",
        need.reason,
        expect="sentinel",
        interruption="none while the other Sentinels have a majority",
        changes=need.changes,
        edit=settings,
        unit=need.unit,
        certificate=bool(need.certificate),
    )


def restart_auxiliary(process: Process) -> Restart:
    """Nobody's data or vote depends on it: it is restarted for a unit that differs."""
    (start,) = kinds.of(process).starts.values()
    return Restart(
        process.machine,
        process.name,
        f"restart {process.name}",
        Need((), unit=True).reason,
        expect=start.expect,
        interruption="none for the services",
        unit=True,
    )
