"""Rules about the ports and sockets that processes listen on, and the ways between them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from redis_fleet.agent.protocol.resp import LONGEST_SOCKET
from redis_fleet.model import Process, Service
from redis_fleet.platform import installation
from redis_fleet.rules.rule import NEVER_STARTS, Finding, rule
from redis_fleet.rules.subject import Given, Subject
from redis_fleet.settings.loopback_only import BUS_ABOVE

_OTHERS_WRITE = 0o022


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
        if process.endpoint.port:
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
            bus = subject.number(each.process, "cluster-port") or each.process.endpoint.port + BUS_ABOVE
            yield each, bus


@rule(
    "E24",
    "TLS between servers, to a port that does not speak it",
    reason="replicas and Sentinels are told a master's plain port: their TLS is never answered there",
    source="replication.c: connectWithMaster; sentinel.c: sentinelReconnectInstance; tried on redis 7.0.15",
    remedy="leave tls-replication out; in a new deployment 'tls: require' lets everything speak TLS",
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


@rule(
    "E56",
    "a server that listens nowhere, or not where its socket is meant to be",
    reason="without a port and a socket it ends with 'Configured to not listen anywhere'; a path of more than 107 "
    "bytes is refused from 7.0 on, and cut off by 6.x",
    source="server.c: initServer, initListeners; anet.c: anetUnixServer; tried on redis 6.0.16 to 8.0.6, valkey 9.1.2",
    remedy="write 'unixsocket: \"/run/redis-{{ name }}/redis.sock\"' below 'config:', or a port",
    directives=("port", "unixsocket"),
    firm=NEVER_STARTS,
)
def listening_nowhere(subject: Subject) -> Iterator[Finding]:
    """Whether a port is free is for E17, E23 and the machine to say; one for TLS alone is for E57."""
    for service in subject.services:
        nowhere = [each for each in _without_port(subject, service) if not each.endpoint.on_socket]
        if nowhere and not any(subject.value(each, "tls-port") not in ("", "0") for each in nowhere):
            what = "is 0, and there is no 'unixsocket:' with an absolute path beside it"
            yield Finding(("services", service.name, "port"), what)
    for each in (*subject.given("unixsocket"), *subject.given_to_sentinels("unixsocket")):
        if (length := len(os.fsencode(each.setting.word))) > LONGEST_SOCKET:
            what = f"has {length} bytes, and the path of a socket has room for {LONGEST_SOCKET}"
            yield Finding(subject.path(each), what, "choose a shorter one")


@rule(
    "E57",
    "a socket alone, where others need a port",
    reason="a socket is reached from its own machine only: replicas, Sentinels and other nodes come over TCP, and "
    "redis-fleet itself would lose sight of them",
    source="unix(7); replication.c: connectWithMaster; sentinel.c: sentinelReconnectInstance",
    remedy="write a port; 'bind:' says at which addresses it is open, and a 'unixsocket:' may stand beside it",
    directives=("port", "unixsocket", "replicaof", "tls-port", "cluster-enabled"),
    firm="nothing but the machine itself would reach it",
)
def needing_a_port(subject: Subject) -> Iterator[Finding]:
    """A master that is alone, and that nobody watches, has to do with clients of its machine only."""
    for service in subject.services:
        if not _without_port(subject, service):
            continue
        path = ("services", service.name)
        described = subject.deployment.services[service.name]
        if described.replicas or service.external:
            yield Finding((*path, "port"), f"is 0, and {_who_replicates(service)} by its port alone")
        if described.sentinel.model_fields_set - {"watched"}:
            what = "watches a service with 'port: 0', and Sentinels come to a server's port"
            yield Finding((*path, "sentinel"), what, "write a port, or take 'sentinel:' out")
    for each in subject.given("tls-port", "cluster-enabled"):
        if not each.process.endpoint.port and each.word not in ("0", "no"):
            what = "stands beside 'port: 0', and TLS alone cannot be deployed yet: redis-fleet itself uses the port"
            if each.setting.name == "cluster-enabled":
                what = "stands beside 'port: 0', and the nodes of a cluster talk by their ports"
            yield Finding(subject.path(each), what, "write a port; 'bind: 127.0.0.1' keeps other machines out of it")


def _without_port(subject: Subject, service: Service) -> list[Process]:
    """Return the processes that have no port because the service has none; 'red1:0' is told as no port at all."""
    none = subject.deployment.services[service.name].port == 0
    return [each for each in service.processes if none and not each.endpoint.port]


def _who_replicates(service: Service) -> str:
    return f"its master {service.external} knows it" if service.external else "replicas reach their master"


@rule(
    "W46",
    "a socket that only the server's own user may open",
    reason="whoever connects needs the right to write to the socket: clients that run as other users are refused, and "
    "there is no port to turn to",
    source="unix(7); redis.conf: unixsocketperm; tried on redis 7.0.15",
    remedy="write 'unixsocketperm: 770', and put the users of the clients into the server's group",
    directives=("unixsocketperm", "unixsocket"),
)
def closed_socket(subject: Subject) -> Iterator[Finding]:
    """Of servers that have nothing but their socket; root is never kept out."""
    user = installation(subject.deployment.engine).user
    for given in subject.given("unixsocket"):
        process = given.process
        mode = subject.value(process, "unixsocketperm")
        if not process.endpoint.on_socket or int(mode or "0", 8) & _OTHERS_WRITE:
            continue
        own = subject.place(process, "unixsocketperm")
        if own and int(mode, 8):
            yield Finding(own, f"is {mode}: only the user {user} and root get in")
        elif not process.adopted:
            what = f"is left to the umask of the unit, 0027: only the user {user} and root get in"
            yield Finding(own or subject.path(given), what)
