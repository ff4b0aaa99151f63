"""Processes that are down: how they are started, and when that would destroy data or go against Sentinel. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from redis_fleet import kinds
from redis_fleet.agent.login import OTHER_PASSWORD
from redis_fleet.catalogue import table
from redis_fleet.catalogue.check import persists, value_of
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.plan import users
from redis_fleet.plan.change_method import unit_difference, writing_unit
from redis_fleet.plan.diff import of_file
from redis_fleet.plan.master import is_new, members
from redis_fleet.plan.plan import Agreement
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.steps import Change, Stage, Start, Step, WriteFiles, WriteUnit
from redis_fleet.render.files import has_unit_file

Found = tuple[list[Step], list[Refusal]]
"""Steps, and why they cannot be taken."""


def unfit_to_touch(fleet: Fleet, process: Process, facts: ProcessFacts) -> Refusal | None:
    """Return why a process that is not simply up must be left alone, None where it need not be.

    It runs and does not answer, systemd is about to start it, it is of the other engine, or it is somebody else's.
    """
    if not facts.deployed and facts.answers and facts.engine != fleet.engine:
        what = f"{facts.engine} {facts.version} runs there with this password, and the description says {fleet.engine}"
        other = f"write 'engine: {facts.engine}', or deploy {fleet.engine} beside it on other ports and move the data"
        return Refusal("engine-differs", process.id, what, f"an engine is not changed in place: {other}")
    if not facts.deployed and (facts.answers or facts.open is not None):
        what = f"something else already listens on {process.endpoint}, as there is no {process.paths.configuration}"
        place = "socket" if process.endpoint.on_socket else "port"
        return Refusal("port-taken", process.id, what, f"stop it or choose another {place}")
    if why := _spoken_otherwise(process, facts):
        return why
    if facts.damaged:
        what = "does not start: its append-only file is damaged"
        remedy = f"'redis-fleet repair {fleet.source} {process.id}' cuts the damage off and starts it"
        return Refusal("file-damaged", process.id, what, remedy)
    if facts.unit.get("SubState") == "auto-restart":
        what = "crashed, and systemd will start it again"
        return Refusal("crashed", process.id, what, "run again when it is up", transient=True)
    return _silent(process, facts) if facts.pid else None


def _spoken_otherwise(process: Process, facts: ProcessFacts) -> Refusal | None:
    """Return why a process is left alone that speaks TLS where none is described, or none where it is."""
    said = {name: words[0] for name in ("port", "tls-port") for _, *words in facts.lines_of(name) if words}
    speaks = said.get("port") == "0" and said.get("tls-port", "0") != "0"
    if not facts.deployed or facts.file_error or speaks == (process.tls is not None):
        return None
    what = "speaks TLS, and none is described" if speaks else "speaks no TLS, and 'tls: require' is described"
    remedy = "redis-fleet moves no deployment to TLS or back yet: describe what it has, or deploy a new one beside it"
    return Refusal("tls-differs", process.id, what, remedy)


def _silent(process: Process, facts: ProcessFacts) -> Refusal:
    runs, said = f"runs (pid {facts.pid})", facts.error or "no reason known"
    if facts.error_code == OTHER_PASSWORD:
        remedy = "give the description that one, or change it there by hand"
        return Refusal("other-password", process.id, f"{runs} and has another password ({said})", remedy)
    what = f"{runs} and does not answer ({said})"
    if facts.error_code == "LOADING":
        return Refusal("loading", process.id, what, "see its log", transient=True)
    return Refusal("no-answer", process.id, what, "see its log")


def unreadable(process: Process, facts: ProcessFacts) -> Refusal:
    """Say that the configuration file of a process cannot be read."""
    what = f"its file {process.paths.configuration} cannot be read ({facts.file_error})"
    return Refusal("file-unreadable", process.id, what)


def down_server(
    fleet: Fleet, service: Service, process: Process, agreement: Agreement, seen: Observed, *, new: bool
) -> Found:
    """Plan the start of a server that is down: for the first time, or with a file that says what is described now."""
    facts = seen.of(process)
    is_master = process.announced == agreement.master
    stage: Stage = "start_masters" if is_master else "start_replicas"
    if new:
        return _first_deployment(process, seen, stage), []
    if agreement.master is None:
        return [], []
    follow = "none" if is_master else f"{agreement.master.address} {agreement.master.port}"
    refusals = list(unsafe_start(fleet, service, process, agreement, seen))
    # Where Sentinels watch, they replace a master that stays down.
    transient = bool(service.watch) and is_master
    if not facts.deployed and is_master:
        what = f"is the master ({agreement.source}), and its files are gone"
        gone = Refusal("files-gone", process.id, what, "restore them, or make a replica the master")
        return [], [gone, *refusals]
    if not facts.deployed:
        wrong = process.follows != (None if is_master else agreement.master)
        return _first_deployment(process, seen, stage, follow if wrong else ""), _all(refusals, transient=transient)
    if facts.file_error:
        return [], [unreadable(process, facts)]
    wrong = facts.follows_by_file != (None if is_master else agreement.master)
    reason = f"is down; the master is {agreement.master} ({agreement.source})"
    catalogue = table.catalogue(
        fleet.engine, seen.machines[process.machine].version or table.versions(fleet.engine)[-1]
    )
    differing = (*of_file(process, facts, catalogue), *_users_in_file(process, facts))
    changes = [_in_file(change, is_master=is_master) for change in differing]
    refused = [each for each in changes if each.how == "REFUSED"]
    refusals += [Refusal("directive-refused", process.id, f"{each}: {each.reason}") for each in refused]
    start = _start(process, stage, reason, follow if wrong else "", changes)
    return [*_unit(fleet, process, seen), start], _all(refusals, transient=transient)


def _users_in_file(process: Process, facts: ProcessFacts) -> Iterator[Change]:
    """All users are one directive of a file; with another requirepass the line of the default user goes."""
    found = [] if users.elsewhere(facts) else list(users.of_file(process, facts))
    closed = process.users.default != "on" and any(line[-1] for line in facts.lines_of("requirepass"))
    if found or closed:
        names = ", ".join(change.directive.removeprefix("user ") for change in found) or "default"
        yield Change("user", f"{names} as described", f"{names} otherwise", where="file")


def _all(refusals: Iterable[Refusal], *, transient: bool) -> list[Refusal]:
    return [replace(each, transient=transient) for each in refusals]


_DATA = ("dir", "dbfilename", "appenddirname", "appendfilename", "appendonly")


def _in_file(change: Change, *, is_master: bool) -> Change:
    """A value that says where or how data is kept must not change while a master is down: it would start empty.

    A replica gets everything from its master.
    """
    if is_master and change.directive in _DATA:
        what = "it would start without its data; start it as it is (set this back), then change it while it runs"
        return replace(change, how="REFUSED", reason=what)
    return replace(change, how="START", reason="it is down: its file is brought up to date first")


def down_sentinel(
    fleet: Fleet, process: Process, masters: Mapping[str, Agreement], seen: Observed, edit: tuple[str, ...] = ()
) -> Found:
    """Plan the start of a Sentinel that is down: again with its own notes, or as a new one that joins the others.

    ``edit`` are the settings that its notes lack.
    """
    facts = seen.of(process)
    others = any(seen.of(each).started_once for each in fleet.sentinels if each != process)
    unit = _unit(fleet, process, seen)
    if facts.started_once:
        return [*unit, replace(_start(process, "start_sentinels", "is down"), edit=edit)], []
    joins = others or any(not is_new(fleet, each, seen) for each in fleet.services if each.watch)
    unknown = [each.name for each in fleet.services if each.watch and masters[each.name].master is None]
    if unknown:
        return [], []
    return _first_deployment(process, seen, "start_sentinels", joins=joins), []


def down_auxiliary(fleet: Fleet, process: Process, seen: Observed) -> Found:
    """Plan the start of a process that holds no data and watches nothing: nobody has to agree."""
    (stage,) = cast(Iterable[Stage], kinds.of(process).starts)
    if not seen.of(process).deployed:
        return _first_deployment(process, seen, stage), []
    return [*_unit(fleet, process, seen), _start(process, stage, "is down")], []


def _unit(fleet: Fleet, process: Process, seen: Observed) -> list[WriteUnit]:
    if not unit_difference(fleet, process, seen):
        return []
    return [WriteUnit(process.machine, process.name, writing_unit(fleet, process, seen), "it differs")]


def _first_deployment(
    process: Process, seen: Observed, stage: Stage, follow: str = "", *, joins: bool = False
) -> list[Step]:
    what = f"write {process.paths.configuration}" + (" and its unit" if has_unit_file(process) else "")
    reason = (
        "its first start never happened, as far as can be seen" if seen.of(process).deployed else "first deployment"
    )
    written = WriteFiles(process.machine, process.name, what, reason, joins_running_sentinels=joins)
    return [written, _start(process, stage, reason, follow, first_start=True)]


def _start(
    process: Process,
    stage: Stage,
    reason: str,
    follow: str = "",
    changes: Sequence[Change] = (),
    *,
    first_start: bool = False,
) -> Start:
    what = f"start {process.name} on {process.endpoint} {kinds.of(process).starts[stage].title}"
    if follow:
        what += " (its file first: no longer a replica)" if follow == "none" else f" (its file first: of {follow})"
    edit = tuple(change.directive for change in changes)
    return Start(process.machine, process.name, what, reason, stage, follow, first_start, tuple(changes), edit)


def unsafe_start(
    fleet: Fleet, service: Service, process: Process, agreement: Agreement, seen: Observed
) -> Iterator[Refusal]:
    """Yield why a process must stay down; a replica may always come back."""
    if process.announced != agreement.master:
        return
    others = [each for each in members(service, seen) if each.announced != process.announced]
    alive = [each for each in others if seen.of(each).answers]
    keys = max((seen.of(each).keys for each in alive), default=0)
    empties = keys and not _has_data(fleet, process, seen)
    if service.watch and alive:
        by_hand = "and leave it down: it has no data and would empty them" if empties else "or start it if they cannot"
        what = "the master is down and the Sentinels are about to put a replica in its place"
        remedy = f"run again in {service.watch.down_after // 1000 + 5} s, {by_hand}"
        yield Refusal("failover-due", process.id, what, remedy)
    elif empties:
        what = f"would start empty and empty its replicas, which hold {keys} keys"
        yield Refusal("starts-empty", process.id, what, "promote one of them (REPLICAOF NO ONE) and run again")
    stored = [each.id for each in others if not seen.of(each).answers and _has_data(fleet, each, seen)]
    if stored and persists(process.plain) and not _has_data(fleet, process, seen):
        what = f"would start empty and empty its replicas, while {', '.join(stored)} would load data from disk"
        remedy = "start the one with the newest data by hand, without replicaof, and run again"
        yield Refusal("data-elsewhere", process.id, what, remedy)


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
