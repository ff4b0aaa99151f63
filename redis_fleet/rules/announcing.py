"""Rules about the addresses that processes announce: where everybody else is led to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from redis_fleet import kinds
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.description.members import is_address
from redis_fleet.description.references import CHAINED, NAME_FOR_ADDRESS
from redis_fleet.model import Process
from redis_fleet.rules.rule import Finding, finds, rule
from redis_fleet.rules.subject import Subject
from redis_fleet.settings.announced import port_directive
from redis_fleet.settings.common import is_loopback

_SERVERS = ("replica-announce-ip", "replica-announce-port")
_SENTINELS = ("sentinel announce-ip", "sentinel announce-port")
_DIRECTIVES = (*_SERVERS, *_SENTINELS)
_TRIED = "sentinel.c: sentinelRefreshInstanceInfo; tried on redis 7.0.15 with two loopback addresses"
_RESOLVING = ("resolve-hostnames", "announce-hostnames")
_NAMES_ON = "write 'resolve-hostnames: yes' and 'announce-hostnames: yes' into the Sentinels' 'config:' (6.2 and newer)"
_LOCALHOST = "localhost"
_ASTRAY = "Sentinels would not reach the process that is meant"


def _announcing(subject: Subject) -> Iterator[Process]:
    """Yield the processes to which the file gives something to announce."""
    given = (*subject.given(*_DIRECTIVES), *subject.given_to_sentinels(*_DIRECTIVES))
    found = {id(each.process) for each in given}
    return (process for process in subject.fleet.processes if id(process) in found)


def _finding(subject: Subject, process: Process, what: str, *, port: bool = False) -> Finding:
    name = kinds.of(process).announce
    place = subject.place(process, port_directive(name)) if port else None
    place = place or subject.place(process, name) or subject.place(process, port_directive(name))
    return Finding(place or (*kinds.of(process).section(process), "config"), what)


@rule(
    "E29",
    "an announced host name that the Sentinels do not take",
    reason="a Sentinel that does not resolve names drops a replica or another Sentinel that announces one; one that "
    "does not announce them writes down the IP address, and what is described is not found again",
    source="sentinel.c: sentinelRefreshInstanceInfo, createSentinelAddr; tried on redis 6.0 to 8.0, valkey 8.0 to 9.1",
    remedy=f"{_NAMES_ON}, or announce the IP address that others reach it by",
    directives=("replica-announce-ip", "sentinel announce-ip"),
    firm=_ASTRAY,
)
def announced_name(subject: Subject) -> Iterator[Finding]:
    """Where no Sentinel watches, a name is only told."""
    lacking, remedy = _lacking(subject), _remedy(subject, "announce the IP address that others reach it by")
    for each in (*subject.given(_SERVERS[0]), *subject.given_to_sentinels(_SENTINELS[0])):
        if lacking and _met_by_sentinels(subject, each.process) and each.word and not is_address(each.word):
            yield Finding(subject.path(each), f"announces the name '{each.word}', and {lacking}", remedy)


@finds(NAME_FOR_ADDRESS)
def named_machines(subject: Subject) -> Iterator[Finding]:
    """A machine's name is what its processes are known by, unless they announce something else."""
    lacking, several = _lacking(subject), len(subject.fleet.machines) > 1
    for name, machine in subject.deployment.machines.items():
        if is_address(machine.address):
            continue
        path = ("machines", name, "address")
        processes = [each for each in subject.fleet.on(name) if each.announced.address == machine.address]
        silent = next((each for each in processes if each.adopted and not _address(subject, each)), None)
        if several and machine.address == _LOCALHOST:
            yield Finding(path, "'localhost' is every machine itself", "write the address that the others reach it by")
        elif lacking and any(_met_by_sentinels(subject, each) for each in processes):
            remedy = _remedy(subject, "write an IP address; a name for ssh alone goes into 'ansible_host:'")
            yield Finding(path, f"'{machine.address}' is a name, and {lacking}", remedy)
        elif silent:
            directive = kinds.of(silent).announce.removeprefix("sentinel ")
            what = f"'{machine.address}' is a name, and {silent.id}, which was adopted, does not announce it"
            yield Finding(path, what, f"write '{directive}: \"{{{{ address }}}}\"' for it, or an IP address here")


def _remedy(subject: Subject, otherwise: str) -> str:
    """Return what to do about a name: Sentinels of 6.0 take none."""
    engine, name = subject.deployment.engine, _RESOLVING[0]
    taken = any(sentinel_table.find(engine, version, name) for version in subject.versions)
    return f"{_NAMES_ON}, or {otherwise}" if taken else otherwise


@finds(CHAINED)
def follows_announced(subject: Subject) -> Iterator[Finding]:
    """Where others listen is compared before, in ``description/references.py``; what they announce is known here."""
    places = {str(each.announced).lower(): each for each in subject.fleet.processes}
    for service in subject.services:
        outside = service.external
        found = places.get(str(outside).lower()) if outside else None
        if found and outside != found.endpoint:
            key = subject.deployment.services[service.name].following_key
            what = f"is {outside}, which {found.id} of this file announces"
            remedy = (
                f"name the machines under 'services.{found.service}.replicas': a replica of a replica is not supported"
            )
            yield Finding(("services", service.name, key), what, remedy)


def _lacking(subject: Subject) -> str:
    """Say what the Sentinels leave undone with names; empty where they take them."""
    wanting = {
        name: [each for each in subject.fleet.sentinels if subject.value(each, f"sentinel {name}") != "yes"]
        for name in _RESOLVING
    }
    verbs = [name.partition("-")[0] for name, processes in wanting.items() if processes]
    return f"the Sentinels do not {' and '.join(verbs)} names" if verbs else ""


def _met_by_sentinels(subject: Subject, process: Process) -> bool:
    if kinds.of(process).watches:
        return any(service.watch for service in subject.services)
    return any(service.watch for service in subject.services if service.name == process.service)


@rule(
    "E47",
    "an address that only some of a service's processes announce",
    reason="the others are known by the address that their connection comes from, which behind NAT is not the one "
    "that is written down: the Sentinels list them twice, or count on one that nobody reaches",
    source=_TRIED,
    remedy='let all of them announce, those that are reached at their own address that one: "{{ NAME | '
    'default(address) }}"',
    directives=("replica-announce-ip", "sentinel announce-ip"),
    firm="who announces nothing is not found by the others",
)
def announced_by_some(subject: Subject) -> Iterator[Finding]:
    """Of a service, and of all Sentinels; that one kind announces and the other does not is W13."""
    for group in (*(service.processes for service in subject.services), subject.fleet.sentinels):
        silent = [process for process in group if not _address(subject, process)]
        telling = next((each for each in group if _address(subject, each) and _given(subject, each)), None)
        if telling and silent:
            names = ", ".join(process.id for process in silent)
            yield _finding(subject, telling, f"is announced by {telling.id} and not by {names}")


def _given(subject: Subject, process: Process) -> bool:
    return subject.place(process, kinds.of(process).announce) is not None


def _address(subject: Subject, process: Process) -> str:
    return subject.value(process, kinds.of(process).announce)


@rule(
    "E48",
    "an announced address that leads to another process",
    reason="Sentinels and clients tell processes apart by address and port alone: of two with one address the one that "
    "answers there is taken for both",
    source=_TRIED,
    remedy="announce an address of its own for each, or one address with a port of its own for each",
    directives=_DIRECTIVES,
    firm=_ASTRAY,
)
def announced_twice(subject: Subject) -> Iterator[Finding]:
    """Two that announce the same, and one that announces where another one listens."""
    taken: dict[Endpoint, Process] = {process.endpoint: process for process in subject.fleet.processes}
    for process in _announcing(subject):
        other = taken.setdefault(process.announced, process)
        if other != process:
            port = subject.place(process, kinds.of(process).announce) is None
            what = f"is {process.announced} for {process.id}, where {other.id} is"
            yield _finding(subject, process, what, port=port)


@rule(
    "E49",
    "an announced address at which nobody else reaches a process",
    reason="a loopback address is every machine's own, and 0.0.0.0 is no address to connect to: the others would look "
    "for the process on their own machine",
    source="RFC 1122, 3.2.1.3; " + _TRIED,
    remedy="announce the address by which the other machines reach it",
    directives=("replica-announce-ip", "sentinel announce-ip"),
    firm=_ASTRAY,
)
def announced_nowhere(subject: Subject) -> Iterator[Finding]:
    """On one machine alone, or on one that is all loopback, it does lead there."""
    machines = [machine.address for machine in subject.fleet.machines.values()]
    for process in _announcing(subject):
        if _address(subject, process) and _leads_nowhere(process.announced.address, machines):
            yield _finding(subject, process, f"tells others to reach {process.id} at {process.announced.address}")


def _leads_nowhere(address: str, machines: Sequence[str]) -> bool:
    if is_loopback(address) or address == _LOCALHOST:
        return len(machines) > 1 and not all(map(is_loopback, machines))
    return is_address(address) and (found := ipaddress.ip_address(address)).is_unspecified | found.is_multicast


@rule(
    "E50",
    "a replica that the Sentinels do not list",
    reason="a Sentinel says nothing of it: whether it knows it, and holds it for up, cannot be seen, and a deployment "
    "is never found in step; it is promoted like any other, and clients are sent to it then",
    source="sentinel.c: addReplyDictOfRedisInstances; tried on redis 7.0.15 and valkey 9.1.2",
    remedy="take it out; 'replica-priority: 0' keeps a replica from being promoted",
    directives=("replica-announced",),
    firm="it would be waited for in vain, and verify would miss it",
)
def unlisted(subject: Subject) -> Iterator[Finding]:
    """Where no Sentinel watches it means nothing."""
    for each in subject.given("replica-announced"):
        if each.word == "no" and each.service and each.service.watch:
            yield Finding(subject.path(each), f"hides {each.process.id} from what the Sentinels say")
