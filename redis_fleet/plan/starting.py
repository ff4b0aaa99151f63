"""Processes that are down: how they are started, and when that would destroy data or go against Sentinel. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from redis_fleet import kinds
from redis_fleet.catalogue import table
from redis_fleet.catalogue.check import persists, value_of
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.plan.diff import of_file
from redis_fleet.plan.master import is_new, members
from redis_fleet.plan.steps import Agreement, Change, Stage, Step
from redis_fleet.plan.unit_changes import unit_difference
from redis_fleet.render.files import has_unit_file

# What AUTH is answered, or a command without it; the last one where a server has no password at all.
_OTHER_PASSWORD = ("WRONGPASS", "NOAUTH", "ERR invalid password", "ERR AUTH ", "ERR Client sent AUTH")
Found = tuple[list[Step], list[str], bool]
"""Steps, refusals, and whether these pass by themselves."""


def fit_to_touch(process: Process, facts: ProcessFacts) -> tuple[str, bool]:
    """Return why a process that is not simply up must be left alone, and whether that passes by itself.

    It runs and does not answer, systemd is about to start it, or it is somebody else's.
    """
    if not facts.deployed and (facts.answers or facts.open is not None):
        return (
            f"{process.id}: something else already listens on {process.endpoint}, as there is no "
            f"{process.paths.configuration}; stop it or choose another port"
        ), False
    if facts.unit.get("SubState") == "auto-restart":
        return f"{process.id}: crashed, and systemd will start it again; run again when it is up", True
    if facts.pid:
        said = facts.error or "no reason known"
        what, remedy = "does not answer", "see its log"
        if said.startswith(_OTHER_PASSWORD):
            what, remedy = "has another password", "give the description that one, or change it there by hand"
        return f"{process.id}: runs (pid {facts.pid}) and {what} ({said}); {remedy}", said.startswith("LOADING")
    return "", False


def down_server(
    fleet: Fleet, service: Service, process: Process, agreement: Agreement, seen: Observed, *, new: bool
) -> Found:
    """Plan the start of a server that is down: for the first time, or with a file that says what is described now."""
    facts = seen.of(process)
    is_master = process.endpoint == agreement.master
    stage: Stage = "start_masters" if is_master else "start_replicas"
    if new:
        return _first_deployment(process, seen, stage), [], False
    if agreement.master is None:
        return [], [], False
    follow = "none" if is_master else f"{agreement.master.address} {agreement.master.port}"
    refusals = list(unsafe_start(fleet, service, process, agreement, seen))
    passing = bool(service.watch) and is_master
    if not facts.deployed and is_master:
        what = f"is the master ({agreement.source}), and its files are gone; restore them, or make a replica the master"
        return [], [f"{process.id}: {what}", *refusals], False
    if not facts.deployed:
        wrong = process.follows != (None if is_master else agreement.master)
        return _first_deployment(process, seen, stage, follow if wrong else ""), refusals, passing
    if facts.file_error:
        why = f"{process.id}: its file {process.paths.configuration} cannot be read ({facts.file_error})"
        return [], [why], False
    wrong = facts.follows_by_file != (None if is_master else agreement.master)
    reason = f"is down; the master is {agreement.master} ({agreement.source})"
    catalogue = table.catalogue(
        fleet.engine, seen.machines[process.machine].version or table.versions(fleet.engine)[-1]
    )
    changes = [_in_file(change, is_master=is_master) for change in of_file(process, facts, catalogue)]
    refusals += [f"{process.id}: {each}: {each.reason}" for each in changes if each.how == "REFUSED"]
    steps = _unit(fleet, process, seen)
    return [*steps, _start(process, stage, reason, follow if wrong else "", changes)], refusals, passing


_DATA = ("dir", "dbfilename", "appenddirname", "appendfilename", "appendonly")


def _in_file(change: Change, *, is_master: bool) -> Change:
    """A value that says where or how data is kept must not change while a master is down: it would start empty.

    A replica gets everything from its master.
    """
    if is_master and change.directive in _DATA:
        what = "it would start without its data; start it as it is (set this back), then change it while it runs"
        return replace(change, how="REFUSED", reason=what)
    return replace(change, how="START", reason="it is down: its file is brought up to date first")


def down_sentinel(fleet: Fleet, process: Process, masters: Mapping[str, Agreement], seen: Observed) -> Found:
    """Plan the start of a Sentinel that is down: again with its own notes, or as a new one that joins the others."""
    facts = seen.of(process)
    others = any(seen.of(each).started_once for each in fleet.sentinels if each != process)
    unit = _unit(fleet, process, seen)
    if facts.started_once:
        return [*unit, _start(process, "start_sentinels", "is down")], [], False
    joins = others or any(not is_new(fleet, each, seen) for each in fleet.services if each.watch)
    unknown = [each.name for each in fleet.services if each.watch and masters[each.name].master is None]
    if unknown:
        return [], [], False
    steps = _first_deployment(process, seen, "start_sentinels")
    return [replace(step, joins=joins and step.stage == "write") for step in steps], [], False


def down_auxiliary(fleet: Fleet, process: Process, seen: Observed) -> Found:
    """Plan the start of a process that holds no data and watches nothing: nobody has to agree."""
    (stage,) = cast(Iterable[Stage], kinds.of(process).starts)
    if not seen.of(process).deployed:
        return _first_deployment(process, seen, stage), [], False
    return [*_unit(fleet, process, seen), _start(process, stage, "is down")], [], False


def _unit(fleet: Fleet, process: Process, seen: Observed) -> list[Step]:
    if not unit_difference(fleet, process, seen):
        return []
    what = f"write {process.paths.unit}"
    return [Step("write", process.machine, process.name, what, "it differs", unit=True)]


def _first_deployment(process: Process, seen: Observed, stage: Stage, follow: str = "") -> list[Step]:
    what = f"write {process.paths.configuration}" + (" and its unit" if has_unit_file(process) else "")
    reason = (
        "its first start never happened, as far as can be seen" if seen.of(process).deployed else "first deployment"
    )
    written = Step("write", process.machine, process.name, what, reason)
    return [written, _start(process, stage, reason, follow, fresh=True)]


def _start(
    process: Process,
    stage: Stage,
    reason: str,
    follow: str = "",
    changes: Sequence[Change] = (),
    *,
    fresh: bool = False,
) -> Step:
    what = f"start {process.name} on {process.endpoint} {kinds.of(process).starts[stage].title}"
    if follow:
        what += " (its file first: no longer a replica)" if follow == "none" else f" (its file first: of {follow})"
    edit = tuple(change.directive for change in changes)
    return Step(
        stage, process.machine, process.name, what, reason, follow, fresh, changes=tuple(changes), edit=edit,
    )  # fmt: skip


def unsafe_start(
    fleet: Fleet, service: Service, process: Process, agreement: Agreement, seen: Observed
) -> Iterator[str]:
    """Yield why a process must stay down; a replica may always come back."""
    if process.endpoint != agreement.master:
        return
    others = [each for each in members(service, seen) if each.endpoint != process.endpoint]
    alive = [each for each in others if seen.of(each).answers]
    keys = max((seen.of(each).keys for each in alive), default=0)
    empties = keys and not _has_data(fleet, process, seen)
    if service.watch and alive:
        by_hand = "and leave it down: it has no data and would empty them" if empties else "or start it if they cannot"
        yield (
            f"{process.id}: the master is down and the Sentinels are about to put a replica in its place; "
            f"run again in {service.watch.down_after // 1000 + 5} s, {by_hand}"
        )
    elif empties:
        yield (
            f"{process.id}: would start empty and empty its replicas, which hold {keys} keys; "
            "promote one of them (REPLICAOF NO ONE) and run again"
        )
    stored = [each.id for each in others if not seen.of(each).answers and _has_data(fleet, each, seen)]
    if stored and _persists(process) and not _has_data(fleet, process, seen):
        yield (
            f"{process.id}: would start empty and empty its replicas, while {', '.join(stored)} would load data from "
            "disk; start the one with the newest data by hand, without replicaof, and run again"
        )


def _persists(process: Process) -> bool:
    return persists((setting.name, setting.lines) for setting in process.settings)


def _has_data(fleet: Fleet, process: Process, seen: Observed) -> bool:
    """Whether its data folder holds what its configuration will load: the AOF when that is on, else the snapshot.

    With ``appendonly yes`` a snapshot is ignored, also when there is no AOF (measured on 6.0 to 8.0).
    """
    names = set(seen.of(process).data or ())
    appendonly = process.setting("appendonly")
    if appendonly and appendonly.lines == (("yes",),):
        wanted = {value_of(fleet.engine, process, "appenddirname"), value_of(fleet.engine, process, "appendfilename")}
    else:
        wanted = {value_of(fleet.engine, process, "dbfilename")}
    return bool(names & wanted)
