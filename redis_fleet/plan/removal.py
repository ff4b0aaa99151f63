"""Processes that left the description: stopped and disabled, forgotten by the Sentinels, their data kept. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redis_fleet import kinds
from redis_fleet.agent import engine_words
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.orders import Forget
from redis_fleet.agent.replication.agreement import majority
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import MasterView, Observed, Stranger
from redis_fleet.plan.announcing import known_as
from redis_fleet.plan.plan import Agreement
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.sentinel_changes import coming_back
from redis_fleet.plan.steps import Decommission, ForgetDeparted

# A Sentinel that forgot everything hears of its peers within 2 s and of replicas within 10 s (measured).
_FORGET_SECONDS = 60


def leaving(fleet: Fleet, seen: Observed, *, purge: bool) -> Iterator[Decommission]:
    """Yield the steps that take processes out of service, replicas before masters, Sentinels last."""
    for stranger in sorted(seen.strangers, key=_last):
        if stranger.runs or stranger.enabled or purge:
            yield _leave(fleet, stranger, purge=purge)


def _last(stranger: Stranger) -> tuple[bool, bool, str]:
    return kinds.of(stranger.process).watches, stranger.facts.role_name == "master", stranger.process.id


def _leave(fleet: Fleet, stranger: Stranger, *, purge: bool) -> Decommission:
    process = stranger.process
    doing = "stop and disable" if stranger.runs else "disable" if stranger.enabled else ""
    what = " and ".join(filter(None, (doing, "remove the data, files and log of" if purge else "")))
    kept = "" if purge else f"; its data stays in {process.paths.data}"
    gone = kinds.of(process).keeps_data and process.service not in {service.name for service in fleet.services}
    return Decommission(
        process.machine,
        process.name,
        f"{what} {process.name}",
        f"it is no longer in this file{kept}",
        interruption=f"{process.service} is no longer there" if gone and stranger.runs else "",
        purge=purge,
    )


def refusals(fleet: Fleet, seen: Observed, *, purge: bool) -> Iterator[Refusal]:
    """Yield why a process cannot be taken out of service."""
    yield from _too_many(fleet, seen)
    yield from _not_replicated(fleet, seen)
    for stranger in seen.strangers:
        process, facts = stranger.process, stranger.facts
        if stranger.runs and not facts.answers:
            what = f"is no longer in this file, runs (pid {facts.pid}) and does not answer ({facts.error})"
            yield Refusal("no-answer", process.id, what, "stop it by hand and run again")
        saves = facts.config.get("save") or facts.config.get("appendonly") == "yes"
        if kinds.of(process).keeps_data and facts.role_name == "master" and facts.keys and not (saves or purge):
            if process.service in {service.name for service in fleet.services}:
                continue
            what = f"is no longer in this file and holds {facts.keys} keys in memory only, which a stop would lose"
            yield Refusal("memory-only", process.id, what, "save them, or say that they may go with --purge")


def _too_many(fleet: Fleet, seen: Observed) -> Iterator[Refusal]:
    """Sentinels that are stopped count until they are forgotten: those that stay have to be a majority without them."""
    go = [each.process for each in seen.strangers if each.runs and kinds.of(each.process).watches]
    views = [view for each in (*fleet.sentinels, *go) for view in seen.of(each).masters.values()]
    stay = len(fleet.sentinels)
    known = max([stay + len(go), *(1 + len(view.sentinels) for view in views)])
    # Of two Sentinels one can never be a majority: there it is only soon over.
    if go and stay and known > 2 and stay < majority(known):
        what = f"{stay} of {known} Sentinels would stay, which is no majority until the others are forgotten"
        remedy = "put all but one of them back and take out one at a time"
        yield Refusal("too-few-sentinels", ", ".join(each.id for each in go), what, remedy)


def _not_replicated(fleet: Fleet, seen: Observed) -> Iterator[Refusal]:
    """A service moves by replication and a switchover, and neither goes by way of a socket."""
    for service in fleet.services:
        for stranger in seen.strangers:
            process = stranger.process
            alone = process if process.endpoint.on_socket else service.on_socket
            if alone and stranger.runs and process.service == service.name:
                what = f"{process.id} runs and is no longer in this file, and its data cannot be replicated: "
                what += f"{alone.id} listens on a socket alone"
                remedy = "put it back as it was, or give the new one a service of its own and move the data by hand"
                yield Refusal("socket-alone", service.name, what, remedy)


def notes(seen: Observed) -> Iterator[str]:
    """Yield where data of processes that left is still kept."""
    for stranger in seen.strangers:
        process = stranger.process
        if not stranger.runs and not stranger.enabled:
            yield f"{process.id} left this deployment; its data is kept in {process.paths.data} until --purge"


def forgetting(fleet: Fleet, service: Service, seen: Observed) -> Iterator[ForgetDeparted]:
    """Yield the steps that make Sentinels forget replicas and Sentinels that are gone: one Sentinel after the other."""
    watch = service.watch
    if watch is None:
        return
    leaves = any(each.process.service == service.name and each.runs for each in seen.strangers)
    fewer = any(kinds.of(each.process).watches and each.runs for each in seen.strangers)
    for process in fleet.sentinels:
        facts = seen.of(process)
        facts = facts if facts.answers or not facts.started_once else coming_back(facts, fleet.engine)
        view = facts.masters.get(watch.name)
        # One that this very plan starts, or tells of the service, meets those that leave as well.
        unknown = [*_unknown_replicas(service, view), *_unknown_sentinels(fleet, seen, view)] if view else []
        if unknown or leaves or fewer:
            named = ", ".join(str(each) for each in unknown) or "those that leave"
            yield _forget(fleet, service, process, named)


def _forget(fleet: Fleet, service: Service, process: Process, named: str) -> ForgetDeparted:
    assert service.watch is not None
    order = Forget(service.watch.name, len(service.processes) - 1, len(fleet.sentinels) - 1, _FORGET_SECONDS)
    return ForgetDeparted(
        process.machine,
        process.name,
        f"make {process.name} forget what left {service.name}",
        f"it still knows {named}",
        orders=(order,),
        service=service.name,
    )


def unknown_peers(fleet: Fleet, service: Service, seen: Observed, agreement: Agreement) -> Iterator[Refusal]:
    """Yield what the Sentinels know, what lives and what is neither described nor known here: a reason to stop."""
    if service.watch is None or agreement.master is None:
        return
    leaving_ = {each.process.announced for each in seen.strangers}
    alive: dict[Endpoint, str] = {}
    for process in fleet.sentinels:
        view = seen.of(process).masters.get(service.watch.name)
        if view is not None:
            alive |= dict.fromkeys(_unknown_replicas(service, view, alive=True), "replica")
            alive |= dict.fromkeys(_unknown_sentinels(fleet, seen, view, alive=True), "Sentinel")
    for endpoint, kind in alive.items():
        if endpoint not in leaving_:
            what = f"the Sentinels know a {kind} at {endpoint} that lives and is not in this file"
            remedy = "add it, or put its machine back into 'machines:' so that it can be stopped, or stop it by hand"
            yield Refusal("unknown-peer", service.name, what, remedy)


def _unknown_replicas(service: Service, view: MasterView, *, alive: bool = False) -> Iterator[Endpoint]:
    described = {each.announced for each in service.processes}
    yield from _not_among(described | {view.endpoint}, view.replicas, alive)


def _unknown_sentinels(fleet: Fleet, seen: Observed, view: MasterView, *, alive: bool = False) -> Iterator[Endpoint]:
    # One that is about to announce another address tells that the others itself.
    places = [place for each in fleet.sentinels for place in (each.announced, known_as(each, seen.of(each)))]
    yield from _not_among({place for place in places if place}, view.sentinels, alive)


def _not_among(described: set[Endpoint], rows: tuple[Mapping[str, str], ...], alive: bool) -> Iterator[Endpoint]:
    for row in rows:
        if "ip" not in row:
            continue
        endpoint = Endpoint(row["ip"], int(row["port"]))
        if endpoint not in described and not (
            alive and engine_words.any_of(engine_words.flags(row["flags"]), engine_words.UNREACHED)
        ):
            yield endpoint
