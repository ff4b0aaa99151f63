"""Rules about the ports that processes listen on, and the ways between them."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.model import Process
from redis_fleet.rules.rule import NEVER_STARTS, Finding, rule
from redis_fleet.rules.subject import Given, Subject

# What a node of a cluster adds to its port for the talk among nodes.
_BUS = 10000


@rule(
    "E23",
    "two listeners on one port",
    reason="the second one finds the port taken, and the server ends at its start",
    source="server.c: initListeners; tried on redis 7.0.15: 'Failed listening on port 6379 (TLS), aborting.'",
    remedy="give each listener a port of its own on its machine",
    directives=("port", "tls-port", "cluster-port", "cluster-enabled"),
    firm=NEVER_STARTS,
)
def ports_shared(subject: Subject) -> Iterator[Finding]:
    """Of one process, and of all that share a machine; two plain ports are told with the places of the processes."""
    taken: dict[tuple[str, int], str] = {}
    for process in _processes(subject):
        taken.setdefault((process.endpoint.address, process.endpoint.port), f"the port of {process.id}")
    for each, port in _further(subject):
        place = (each.process.endpoint.address, port)
        if place in taken:
            yield Finding(subject.path(each), f"asks for port {port} on {each.process.machine}, {taken[place]}")
        taken.setdefault(place, f"the {each.setting.name} of {each.process.id}")


def _processes(subject: Subject) -> Iterator[Process]:
    yield from (process for service in subject.services for process in service.processes)
    yield from subject.fleet.sentinels


def _further(subject: Subject) -> Iterator[tuple[Given, int]]:
    """Yield what makes a process listen on more than its port, and where."""
    for each in (*subject.given("tls-port"), *subject.given_to_sentinels("tls-port")):
        if each.word.isdecimal() and each.word != "0":
            yield each, int(each.word)
    for each in subject.given("cluster-enabled"):
        if each.word == "yes":
            bus = subject.number(each.process, "cluster-port") or each.process.endpoint.port + _BUS
            yield each, bus


@rule(
    "E24",
    "TLS between servers, to a port that does not speak it",
    reason="replicas and Sentinels are told a master's plain port: their TLS is never answered there",
    source="replication.c: connectWithMaster; sentinel.c: sentinelReconnectInstance; tried on redis 7.0.15",
    remedy="leave tls-replication out: redis-fleet cannot deploy TLS between processes yet",
    directives=("tls-replication",),
    firm="no replica would ever reach its master",
)
def encrypted_replication(subject: Subject) -> Iterator[Finding]:
    """A master alone that nobody watches has nobody to talk to."""
    for each in subject.given("tls-replication"):
        service = each.service
        if each.word == "yes" and service and (service.watch or len(service.processes) > 1 or each.process.follows):
            yield Finding(subject.path(each), "asks for TLS on ways that lead to plain ports")
    for each in subject.given_to_sentinels("tls-replication"):
        if each.word == "yes":
            yield Finding(subject.path(each), "asks for TLS on ways that lead to plain ports")
