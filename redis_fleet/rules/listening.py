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
    """Of one process, and of all that share a machine; two plain ports, and two for TLS, are told by E17."""
    taken: dict[tuple[str, int], tuple[str, Process]] = {}
    for process in subject.fleet.processes:
        taken.setdefault((process.endpoint.address, process.endpoint.port), ("port", process))
    for each, port in _further(subject):
        own, machine = (each.setting.name, each.process), each.process.machine
        name, other = taken.setdefault((each.process.endpoint.address, port), own)
        told_by_e17 = name == each.setting.name == "tls-port" and other.machine == machine
        if (name, other) != own and not told_by_e17:
            yield Finding(subject.path(each), f"asks for port {port} on {machine}, the {name} of {other.id}")


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
    for each in (*subject.given("tls-replication"), *subject.given_to_sentinels("tls-replication")):
        if each.word == "yes" and not _alone(each):
            yield Finding(subject.path(each), "asks for TLS on ways that lead to plain ports")


def _alone(given: Given) -> bool:
    service = given.service
    return service is not None and not (service.watch or len(service.processes) > 1 or given.process.follows)
