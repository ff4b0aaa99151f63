"""What is wrong with a deployment although its processes run, in words: what ``status`` says below its table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redis_fleet.agent import engine_words
from redis_fleet.agent.login import OTHER_PASSWORD
from redis_fleet.agent.replication.agreement import AGREED, count
from redis_fleet.agent.replication.fitness import barred
from redis_fleet.agent.replication.health import Trouble, troubles
from redis_fleet.agent.replication.view import read_replication
from redis_fleet.catalogue.check import persists
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe import logins
from redis_fleet.observe.facts import MasterView, Observed, ProcessFacts
from redis_fleet.observe.votes import votes

# Seconds after which nobody has to be told any more that systemd started a process again.
_RECENT = 300


def deployment_troubles(fleet: Fleet, seen: Observed, now: float) -> list[Trouble]:
    """Return everything that is wrong, services first; ``now`` is in seconds since 1970. Nothing where all is well."""
    found: list[Trouble] = []
    for service in fleet.services:
        found += _service(fleet, service, seen, now)
        found += logins.of_service(fleet, service, seen)
    for process in (*fleet.sentinels, *fleet.auxiliary):
        found += _presence(process, seen)
        found += _tilted(process, seen.of(process))
    return [*found, *logins.of_sentinels(fleet, seen)]


def problem(process: Process, seen: Observed) -> str:
    """Say why a process does not answer; nothing when it does."""
    facts, machine = seen.of(process), seen.machines.get(process.machine)
    if facts.answers:
        return ""
    return (machine.error if machine and machine.error else facts.error) or "not deployed"


def _presence(process: Process, seen: Observed) -> Iterator[Trouble]:
    """One that is down, and one that came back by itself."""
    facts = seen.of(process)
    if why := problem(process, seen):
        runs = f"runs (pid {facts.pid}) and does not answer" if facts.pid else "is down"
        locked = facts.error_code == OTHER_PASSWORD
        what = f"does not let redis-fleet in ({why})" if locked else f"{runs} ({why})"
        remedy = f"see 'redis-fleet repair FILE {process.id}'" if facts.damaged else "see its log"
        code = "locked-out" if locked else "silent" if facts.pid else "file-damaged" if facts.damaged else "down"
        if facts.damaged:
            what = f"{what}: its append-only file is damaged"
        yield Trouble(code, process.id, what, remedy)
        return
    again = facts.unit.get("NRestarts", "0")
    since = int(facts.info.get("uptime_in_seconds", _RECENT))
    if facts.answers and again != "0" and since < _RECENT:
        what = f"has run for {since} s alone: systemd started it again (NRestarts={again})"
        yield Trouble("started-again", process.id, what, f"see 'journalctl --unit {process.unit}'")


def _tilted(process: Process, facts: ProcessFacts) -> Iterator[Trouble]:
    if facts.info.get("sentinel_tilt", "0") != "0":
        what = "watches and does nothing (TILT): its clock jumped, or it did not run for a while"
        yield Trouble("tilt", process.id, what, "it ends by itself after 30 s; see why its machine stood still")


def _server(process: Process, facts: ProcessFacts) -> Iterator[Trouble]:
    saves = persists(process.plain)
    if saves and facts.deployed and facts.data is None:
        what = f"its data folder {process.paths.data} is gone: what it holds is nowhere else"
        yield Trouble("folder-gone", process.id, what, "make it again, with its owner, and have it save (BGSAVE)")
    needed = int(facts.info.get("used_memory", "0"))
    if saves and facts.free is not None and facts.free < needed:
        what = f"has {facts.free} bytes left on the disk of its data, and a snapshot may take {needed}"
        yield Trouble("disk-full", process.id, what, "make room")
    if facts.paused:
        what = "holds all writes back, as after CLIENT PAUSE"
        yield Trouble("paused", process.id, what, "CLIENT UNPAUSE ends it; see who did that, and why")


def _service(fleet: Fleet, service: Service, seen: Observed, now: float) -> Iterator[Trouble]:
    up = [process for process in service.processes if seen.of(process).answers]
    for process in up:
        facts = seen.of(process)
        yield from troubles(process.id, facts.info, facts.config, now, saves=persists(process.plain))
        yield from _server(process, facts)
    for process in service.processes:
        yield from _presence(process, seen)
    masters = [process for process in up if seen.of(process).role_name == engine_words.MASTER]
    yield from _masters(service, masters)
    place = str(service.external or (masters[0].announced if len(masters) == 1 else ""))
    for process in up:
        if process not in masters:
            yield from _replica(process, seen.of(process), place)
    if service.watch:
        yield from _fit(service, up, masters, seen)
        yield from _watched(fleet, service, place, seen)


def _masters(service: Service, masters: list[Process]) -> Iterator[Trouble]:
    names = " and ".join(each.id for each in masters)
    if service.external and masters:
        yield Trouble("second-master", service.name, f"{names} should follow {service.external}")
    elif len(masters) > 1:
        what = f"{names} are all masters: what is written to the one is unknown to the others"
        yield Trouble("two-masters", service.name, what, "see 'redis-fleet plan'")
    elif not masters and not service.external:
        yield Trouble("no-master", service.name, "no process of it is a master: nothing can be written")


def _replica(process: Process, facts: ProcessFacts, master: str) -> Iterator[Trouble]:
    link = engine_words.value(facts.info, "master_link_status")
    since = engine_words.value(facts.info, "master_link_down_since_seconds")
    if link != "up":
        busy = engine_words.value(facts.info, "master_sync_in_progress") == "1"
        doing = "is synchronising with its master" if busy else "has no link to its master"
        for_ = f" (for {since} s)" if since and since != "-1" else ""
        yield Trouble("link-down", process.id, f"{doing} {facts.follows}{for_}", "see its log and its master's")
    if master and str(facts.follows) != master:
        yield Trouble("follows-another", process.id, f"follows {facts.follows}, and the master is {master}")


def _fit(service: Service, up: list[Process], masters: list[Process], seen: Observed) -> Iterator[Trouble]:
    if any(process not in masters and _may_take_over(process, seen.of(process)) for process in up):
        return
    what = "no replica could take over from the master: none is in step and may be promoted"
    yield Trouble("no-fit-replica", service.name, what, "bring a replica back, with a replica-priority above 0")


def _may_take_over(process: Process, facts: ProcessFacts) -> bool:
    replica = read_replication(process.id, facts.info)
    return replica.link_up and not barred(replica)


def _watched(fleet: Fleet, service: Service, master: str, seen: Observed) -> Iterator[Trouble]:
    assert service.watch is not None
    name = service.watch.name
    answering = [process for process in fleet.sentinels if seen.of(process).answers]
    for process in answering:
        view = seen.of(process).masters.get(name)
        if view is None:
            yield Trouble("unwatched", process.id, f"does not watch {name}", "see 'redis-fleet plan'")
        else:
            yield from _view(fleet, service, process, view, master)
    verdict = count(votes(seen, fleet.sentinels, name), len(answering), len(fleet.sentinels))
    if verdict.code != AGREED:
        answer = f"{len(answering)} of {len(fleet.sentinels)} answer"
        yield Trouble("sentinels", service.name, f"its Sentinels could not fail over now ({verdict.code}): {answer}")


def _view(fleet: Fleet, service: Service, process: Process, view: MasterView, master: str) -> Iterator[Trouble]:
    named = str(view.endpoint)
    if master and named != master:
        yield Trouble("names-another", process.id, f"names {named} as the master of {service.name}, and {master} is it")
    if engine_words.any_of(view.flags, engine_words.UNREACHED | engine_words.FAILING_OVER):
        flags = ", ".join(sorted(view.flags))
        yield Trouble("holds-for", process.id, f"holds the master of {service.name} for {flags}")
    if not view.quorum.startswith("OK"):
        yield Trouble("no-quorum", process.id, f"could not fail {service.name} over: {view.quorum}")
    replicas, others = len(service.processes) - 1, len(fleet.sentinels) - 1
    for code, known, wanted, kind in (
        ("replicas-known", view.replicas, replicas, "replicas"),
        ("sentinels-known", view.sentinels, others, "other Sentinels"),
    ):
        if len(known) != wanted:
            what = f"knows {len(known)} {kind} of {service.name}, and there are {wanted}"
            yield Trouble(code, process.id, what, "see 'redis-fleet plan'")
        down = [row.get("name", "?") for row in known if _unreached(row)]
        if down:
            yield Trouble(f"{code}-down", process.id, f"does not reach {', '.join(down)}")


def _unreached(row: Mapping[str, str]) -> bool:
    return engine_words.any_of(engine_words.flags(row.get("flags", "")), engine_words.UNREACHED)
