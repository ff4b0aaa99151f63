"""Rules about what a unit does for its server when that crashes or is stopped: whether it can do that at all."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.description.nodes import Path
from redis_fleet.model import Service
from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.subject import Subject

_KEY = "crash-handover"
_FEWEST = 3


def _asked(subject: Subject) -> Iterator[tuple[Service, Path]]:
    """Yield the services whose role is to be handed over, each with where that is said."""
    for service in subject.services:
        own = subject.deployment.services[service.name].crash_handover
        if own or (own is None and subject.deployment.crash_handover):
            yield service, ("services", service.name, _KEY) if own else (_KEY,)


def _finding(service: Service, path: Path, why: str, remedy: str) -> Finding:
    if path[0] == "services":
        return Finding(path, f"is yes, and {why}", f"{remedy}, or take the key out")
    exempt = f"write '{_KEY}: no' below services.{service.name}"
    return Finding(path, f"is yes for all, also for {service.name}, and {why}", f"{remedy}, or {exempt}")


@rule(
    "E58",
    "a crash hand-over that no Sentinel can vote on",
    reason="the successor of a crashed master is elected by the Sentinels and named to clients by them: without them "
    "there is nobody to ask, and nobody whom clients would hear it from",
    source="redis-fleet's own",
    remedy="let Sentinels watch the service",
    firm="nothing would be handed over",
)
def nobody_to_vote(subject: Subject) -> Iterator[Finding]:
    """Also where nothing is to fail over to, or the master is outside the file."""
    for service, path in _asked(subject):
        if service.watch is None:
            yield _finding(service, path, _why_unwatched(subject, service), _remedy(service))


def _why_unwatched(subject: Subject, service: Service) -> str:
    if service.external:
        return f"its master {service.external} is outside this file"
    if service.on_socket:
        return "it has a socket alone, which no Sentinel reaches"
    if not subject.deployment.services[service.name].replicas:
        return "it has no replica that could take over"
    return "no Sentinel watches it"


def _remedy(service: Service) -> str:
    if service.external:
        return "write it in the file of the master"
    return "give it replicas and Sentinels"


@rule(
    "E59",
    "a crash hand-over with fewer than three Sentinels",
    reason="a Sentinel is told of the new master in the name of another one, and two have no majority when one of them "
    "goes down with the master's machine",
    source="sentinel.c: sentinelProcessHelloMessage",
    remedy="run three on three machines: a Sentinel needs next to nothing",
    firm="nothing would be handed over",
)
def too_few_to_vote(subject: Subject) -> Iterator[Finding]:
    """E2 says so of any service, and can be silenced."""
    count = len(subject.fleet.sentinels)
    for service, path in _asked(subject):
        if service.watch and count < _FEWEST:
            there = "there is one Sentinel" if count == 1 else "there are two Sentinels"
            yield _finding(service, path, there, "run three on three machines")


@rule(
    "E60",
    "a crash hand-over of a unit that somebody else made",
    reason="it is the unit that notices the end of its process and calls for the hand-over, and redis-fleet leaves the "
    "units of what it took over as they are",
    source="systemd.service(5): ExecStopPost",
    remedy="take the key out, or 'adopted:' with a unit of redis-fleet's own",
    firm="nothing would be handed over",
)
def unit_of_others(subject: Subject) -> Iterator[Finding]:
    """In a sandbox nothing has a unit."""
    for service, path in _asked(subject):
        if subject.deployment.services[service.name].adopted:
            others = "its unit is not redis-fleet's ('adopted:')"
            yield _finding(service, path, others, "let redis-fleet write its units")
