"""Rules across a whole description that need no value expanded: names that must exist, numbers that must fit together.

Each rule is one function from a description to its problems; add one here and it is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from redis_fleet.agent.replication.agreement import majority
from redis_fleet.description.members import (
    external,
    external_master,
    is_address,
    is_host_name,
    is_number,
    master_of,
    member,
    nearest,
)
from redis_fleet.description.nodes import Document, Path, dotted
from redis_fleet.description.schema import Deployment
from redis_fleet.problems import Problem
from redis_fleet.rulebook import Rule, decides, declare

_MASTER_KEYS = ("master", "replicaof", "slaveof")
Check = Callable[[Deployment, Document], Iterator[Problem]]

NO_AGREEMENT = declare(
    "E2",
    "Sentinels that can never agree, or too few of them",
    reason="a failover needs the quorum, and besides a majority of all Sentinels: with two of them none is "
    "left when one goes down with its machine",
    source="sentinel.c: sentinelGetLeader; redis.io, Sentinel: at least three",
    remedy="run three on three machines: a Sentinel needs next to nothing",
    directives=("sentinel monitor",),
)

NAME_FOR_ADDRESS = declare(
    "E12",
    "a name where Sentinel wants an address",
    reason="a Sentinel that does not resolve names ends at its start; one that resolves and does not announce them "
    "writes IP addresses into every file, so that nobody is found under the described name after a failover",
    source="measured on redis 6.0 to 8.0 and valkey 8.0 to 9.1; sentinel.c: createSentinelAddr, announceSentinelAddr",
    remedy="write 'resolve-hostnames: yes' and 'announce-hostnames: yes' into the Sentinels' 'config:' (6.2 and newer),"
    " or an IP address; a name for ssh alone goes into 'ansible_host:'",
    directives=("sentinel monitor", "sentinel resolve-hostnames", "sentinel announce-hostnames"),
    firm="the Sentinels would not start, or not find the processes again",
)

SHARED = declare(
    "E17",
    "two processes with one port, folder, log or socket",
    reason="they overwrite each other's data, or the second one does not start",
    source="redis.io, administration; measured",
    remedy="give each process its own, for example with '{{ name }}' in it",
    directives=("port", "tls-port", "dir", "dbfilename", "logfile", "unixsocket"),
    firm="they would overwrite each other's data, or the second one would not start",
)

CHAINED = declare(
    "E27",
    "replicas of a process of this very file, in another service",
    reason="who follows whom would be planned twice: a failover, a switchover or a removal of one service leaves the "
    "other at a server that is no master any more, or gone",
    source="redis-fleet places one master a service; a master outside the file is one that it does not look after",
    remedy="name the machines under 'replicas' of the service that the process belongs to",
    directives=("replicaof",),
    firm="no plan would hold for both services",
)


def problems(deployment: Deployment, document: Document) -> list[Problem]:
    """Apply every rule."""
    return [problem for check in _CHECKS for problem in check(deployment, document)]


def _problem(document: Document, path: Path, what: str, remedy: str, rule: Rule | None = None) -> Problem:
    return Problem(document.position(path), dotted(path), what, remedy, rule.id if rule else "")


def _plugin_is_ours(deployment: Deployment, document: Document) -> Iterator[Problem]:
    if deployment.plugin != "redis_fleet":
        yield _problem(document, ("plugin",), f"'{deployment.plugin}' is another plugin", "write 'redis_fleet'")


@decides(NAME_FOR_ADDRESS)
def _machines_have_addresses(deployment: Deployment, document: Document) -> Iterator[Problem]:
    for name, machine in deployment.machines.items():
        if not (is_address(machine.address) or is_host_name(machine.address)):
            what = f"'{machine.address}' is neither an IP address nor a host name"
            remedy = "write the one that Redis binds to; a name for ssh alone goes into 'ansible_host:'"
            yield _problem(document, ("machines", name, "address"), what, remedy, NAME_FOR_ADDRESS)


def _machines_are_known(deployment: Deployment, document: Document) -> Iterator[Problem]:
    # From the tree, so that a machine whose own entry is faulty still counts as known.
    tree = document.tree.get("machines")
    known = sorted(tree) if isinstance(tree, dict) else []
    for path, text in _references(deployment):
        name = text.replace(" ", ":", 1).partition(":")[0]
        if name and name not in known and not external(text, known):
            yield _problem(document, path, f"'{name}' is not one of the machines", _which_machine(path, name, known))


def _which_machine(path: Path, name: str, known: list[str]) -> str:
    if path[-1] in ("replicaof", "slaveof") and is_address(name):
        return "write 'ADDRESS PORT' to follow a master outside this file"
    close = nearest(name, known)
    remedy = f"did you mean '{close}'?" if close else f"the machines are {', '.join(known)}"
    if close or path[-1] not in ("replicaof", "slaveof"):
        return remedy
    return f"{remedy}; a master outside this file is an IP address or a host name, and a port"


def _references(deployment: Deployment) -> Iterator[tuple[Path, str]]:
    for name, service in deployment.services.items():
        if service.master:
            yield ("services", name, "master"), service.master
        for key in _MASTER_KEYS[1:]:
            if text := getattr(service, key):
                yield ("services", name, key), text
        for index, text in enumerate(service.replicas):
            yield ("services", name, "replicas", index), text
    for name, section in deployment.placed():
        for index, text in enumerate(section.machines):
            yield (name, "machines", index), text


def _ports_are_ports(deployment: Deployment, document: Document) -> Iterator[Problem]:
    for path, text in _references(deployment):
        port = _bad_port(text)
        if port is not None:
            yield _problem(document, path, f"'{port}' is not a port", "write machine:port with a port from 1 to 65535")


def _bad_port(text: str) -> str | None:
    """Return what stands in the place of a port and is none."""
    outside = external(text)
    _, colon, port = text.replace(" ", ":", 1).partition(":")
    if outside:
        colon, port = ":", str(outside.port)
    return port if colon and not (is_number(port) and 1 <= int(port) <= 65535) else None


def _services_have_one_master(deployment: Deployment, document: Document) -> Iterator[Problem]:
    for name, service in deployment.services.items():
        path: Path = ("services", name)
        if document.faulty & {(*path, key) for key in (*_MASTER_KEYS, "replicas")}:
            continue
        named = [key for key in _MASTER_KEYS if getattr(service, key)]
        if not named:
            remedy = "add 'master: MACHINE', or 'replicaof: ADDRESS PORT' to follow one outside this file"
            yield _problem(document, path, "has no master", remedy)
        elif len(named) > 1:
            yield _problem(document, path, f"names its master {len(named)} times: {', '.join(named)}", "keep one")
        elif external_master(service, deployment) and not service.replicas:
            yield _problem(document, path, "has no process of its own", "name at least one machine under 'replicas'")


@decides(NO_AGREEMENT)
def _quorum_fits(deployment: Deployment, document: Document) -> Iterator[Problem]:
    sentinel = deployment.sentinel
    if not sentinel:
        return
    count = len(sentinel.machines)
    asked: list[tuple[Path, int | None]] = [(("sentinel", "quorum"), sentinel.quorum)]
    for name, service in deployment.services.items():
        asked.append((("services", name, "sentinel", "quorum"), service.sentinel.quorum))
    for path, quorum in asked:
        if quorum is not None and quorum > count:
            what = f"a quorum of {quorum} can never be reached by {count} Sentinel{'s' * (count != 1)}"
            yield _problem(
                document, path, what, f"use at most {count}; the majority is {majority(count)}", NO_AGREEMENT
            )


def _watches_have_sentinels(deployment: Deployment, document: Document) -> Iterator[Problem]:
    if deployment.sentinel:
        return
    for name, service in deployment.services.items():
        if service.sentinel.model_fields_set - {"watched"}:
            yield _problem(
                document,
                ("services", name, "sentinel"),
                "there are no Sentinels in this file",
                "add a 'sentinel:' section with their machines",
            )


def _monitor_names_differ(deployment: Deployment, document: Document) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, service in deployment.services.items():
        monitor = service.sentinel.name or name
        if monitor in seen:
            what = f"'{monitor}' already names the master of service '{seen[monitor]}'"
            yield _problem(document, ("services", name, "sentinel", "name"), what, "give each service its own name")
        seen.setdefault(monitor, name)


@decides(SHARED)
def _processes_have_own_ports(deployment: Deployment, document: Document) -> Iterator[Problem]:
    taken: dict[tuple[str, int], str] = {}
    for path, text, port in _placements(deployment):
        place = member(text, port)
        section = path[:2] if path[0] == "services" else path[:1]
        unknown = _bad_port(text) is not None or (*section, "port") in document.faulty
        # Without a port there is a socket, which is compared when its path is known.
        if unknown or not place.port or place.machine not in deployment.machines:
            continue
        key = (deployment.machines[place.machine].address, place.port)
        if key in taken:
            what = f"port {place.port} on {place.machine} ({key[0]}) is already taken by {taken[key]}"
            yield _problem(document, path, what, "give one of them another port", SHARED)
        taken.setdefault(key, dotted(path))


def _placements(deployment: Deployment) -> Iterator[tuple[Path, str, int]]:
    for name, service in deployment.services.items():
        first = master_of(service, deployment)
        if first:
            key = next(key for key in _MASTER_KEYS if getattr(service, key))
            yield ("services", name, key), f"{first.machine}:{first.port}", service.port
        for index, text in enumerate(service.replicas):
            yield ("services", name, "replicas", index), text, service.port
    for name, section in deployment.placed():
        for index, text in enumerate(section.machines):
            yield (name, "machines", index), text, section.port


@decides(CHAINED)
def _masters_outside_are_outside(deployment: Deployment, document: Document) -> Iterator[Problem]:
    owners = {}
    for path, text, port in _placements(deployment):
        place = member(text, port)
        if place.machine in deployment.machines:
            owners[deployment.machines[place.machine].address, place.port] = (path, place.machine)
    for name, service in deployment.services.items():
        outside = external_master(service, deployment)
        if outside is None or (found := owners.get((outside.address, outside.port))) is None:
            continue
        (section, owner, *_), machine = found
        what = f"is {outside}, a process of this file ({owner if section == 'services' else section} on {machine})"
        remedy = f"name the machines under 'services.{owner}.replicas': a replica of a replica is not supported"
        yield _problem(document, ("services", name, service.following_key), what, remedy, CHAINED)


_CHECKS: tuple[Check, ...] = (
    _plugin_is_ours,
    _machines_have_addresses,
    _machines_are_known,
    _ports_are_ports,
    _services_have_one_master,
    _masters_outside_are_outside,
    _quorum_fits,
    _watches_have_sentinels,
    _monitor_names_differ,
    _processes_have_own_ports,
)
