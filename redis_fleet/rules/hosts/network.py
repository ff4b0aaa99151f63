"""Addresses, ports and firewalls: where the processes will listen, and who gets there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from redis_fleet import kinds
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.reach import OPEN, REFUSED, SILENT
from redis_fleet.agent.messages.host_facts import Listener
from redis_fleet.description.members import is_host_name
from redis_fleet.model import Fleet, Process
from redis_fleet.rulebook import declare
from redis_fleet.rules.hosts.fit import PORT_TAKEN
from redis_fleet.rules.hosts.host import Answered, HostReport, Row, on_hosts, plural
from redis_fleet.rules.sentinels import announced_one_way
from redis_fleet.settings.common import is_loopback

_ANY = {"*", "0.0.0.0", "::", "::*"}  # noqa: S104


CUT_OFF = declare(
    "E33",
    "a port that is not reached from a machine that needs it",
    reason="a replica without its master stays empty; Sentinels that do not reach a process or each other take it for "
    "dead, or elect nobody",
    source="redis.io, Sentinel: its ports and those of the servers must be open between all machines",
    remedy="open the ports of the description between all its machines, in both directions",
    directives=("port", "tls-port", "bind", "replicaof", "sentinel monitor"),
    needs="machine",
)

FOREIGN_ADDRESS = declare(
    "E36",
    "an address that is not the machine's",
    reason="a server binds to it, and does not start where no interface has it",
    source="bind(2): EADDRNOTAVAIL",
    remedy="write an address that the machine has; behind NAT bind to the inner one and announce the outer one",
    directives=("bind", "replica-announce-ip", "sentinel announce-ip"),
    needs="machine",
    firm="the server refuses to start with it",
)

ONLY_OURS_CUT_OFF = declare(
    "W35",
    "a port that only redis-fleet would reach",
    reason="verify and switchover work from one of the machines, and stand in for a client there",
    source="redis-fleet's own",
    remedy="open the ports of the description between all its machines, or let the controller reach them",
    needs="machine",
)


class Target(NamedTuple):
    """A place that a machine should get to: whose it is (empty: not of this deployment), and what for (empty: no need).

    It is what the process announces; ``listens`` is where it listens on its own machine.

    What is not needed every day is still connected to by ``verify`` and ``switchover``, which run from any machine.
    """

    endpoint: Endpoint
    process: str
    machine: str
    needed: str
    listens: Endpoint | None = None


def targets(fleet: Fleet, machine: str) -> list[Target]:
    """Return every process on other machines, and masters outside the file, that a machine should get to."""
    here = list(fleet.on(machine))
    found = []
    for process in fleet.processes:
        elsewhere = process.machine != machine and not process.endpoint.on_socket
        if elsewhere and not is_loopback(process.endpoint.address):
            needed = _needed(fleet, here, process)
            found.append(Target(process.announced, process.id, process.machine, needed, process.endpoint))
    outside = {service.name: service.external for service in fleet.services if service.external}
    masters = dict.fromkeys(outside[each.service] for each in here if each.service in outside)
    return found + [Target(each, "", "", "replication") for each in masters]


def _needed(fleet: Fleet, here: list[Process], process: Process) -> str:
    """Return what the processes of a machine want of a process elsewhere."""
    watching = any(kinds.of(each).watches for each in here)
    if kinds.of(process).watches:
        return "Sentinels ask each other" if watching else ""
    if not kinds.of(process).keeps_data:
        return ""
    if any(each.service == process.service for each in here):
        return "replication"
    return "its Sentinel watches it" if watching and fleet.service(process.service).watch else ""


@on_hosts(announced_one_way, FOREIGN_ADDRESS)
def address(host: HostReport) -> Iterator[Row]:
    """A server binds to the machine's own addresses; behind NAT it must be told what others know it by."""
    if host.facts.addresses.get(host.address):
        yield host.holds("address", f"{host.address} is an address of this machine", announced_one_way)
        return
    has = ", ".join(host.facts.own_addresses) or "none but loopback"
    seen = f"{host.address} is not an address of this machine; it has {has}"
    if is_host_name(host.address):
        seen = f"{host.address} leads to no address of this machine but loopback, if to any; it has {has}"
    listening = [process for process in host.processes if not process.endpoint.on_socket]
    binding = [process for process in listening if host.address in _bound(process)]
    silent = [process for process in listening if not _announced(host, process)]
    if binding and is_host_name(host.address):
        fix = "let it be resolved to one of those, on this machine too (/etc/hosts has 127.0.1.1 for it on Debian)"
        yield host.breaks("address", f"{seen}: others would not reach {_names(binding)}", fix, FOREIGN_ADDRESS)
    elif binding:
        fix = (
            "write one of those as 'address:'; behind NAT 'bind:' the inner address and set replica-announce-ip and "
            "Sentinel's announce-ip to the outer one"
        )
        yield host.breaks("address", f"{seen}: {_names(binding)} cannot listen there", fix, FOREIGN_ADDRESS)
    elif silent:
        fix = f"set replica-announce-ip and Sentinel's announce-ip to {host.address}"
        yield host.breaks(
            "address", f"{seen}: Sentinels would learn the inner one of {_names(silent)}", fix, announced_one_way
        )
    else:
        known = "every process announces it" if listening else "no process listens there"
        yield host.holds("address", f"{seen}; {known}", announced_one_way)


def _bound(process: Process) -> list[str]:
    """Return the addresses that a process insists on; none: the engine's own default."""
    setting = process.setting("bind")
    return [word for word in setting.lines[0] if not word.startswith("-")] if setting and setting.lines else []


def _announced(host: HostReport, process: Process) -> bool:
    setting = process.setting(kinds.of(process).announce)
    return bool(setting and setting.lines and setting.lines[0][:1] == (host.address,))


def _names(processes: list[Process]) -> str:
    return ", ".join(process.name for process in processes)


@on_hosts(PORT_TAKEN)
def ports(host: HostReport) -> Iterator[Row]:
    """A port that another program has is not there for a server."""
    taken = 0
    for process in host.processes:
        others = [each for each in host.facts.listeners if _in_the_way(each, process)]
        for other in others[:1]:
            taken += 1
            where = Endpoint(other.address, other.port)
            fix = f"end it ({_ending(other)}), or give the process another port"
            if other.ours:
                fix = "it left the description, or has another place in it; see what 'plan' says to it"
            yield host.breaks(f"port of {process.name}", f"{where} is held by {_holder(other)}", fix, PORT_TAKEN)
    wanted = sorted({process.endpoint.port for process in host.processes} - {0})
    if wanted and not taken:
        yield host.holds("ports", f"{', '.join(map(str, wanted))} are free or our own", PORT_TAKEN)


def _in_the_way(listener: Listener, process: Process) -> bool:
    """Say whether somebody else listens where a process would."""
    if listener.port != process.endpoint.port or (listener.unit and listener.unit == process.unit):
        return False
    wanted = {word.lstrip("-") for word in _bound(process)} or _ANY
    return listener.address in wanted or bool(_ANY & {listener.address, *wanted})


def _holder(listener: Listener) -> str:
    if not listener.pid:
        return "a process that cannot be seen from here"
    unit = f" of {listener.unit}" if listener.unit else ""
    return f"{listener.program} (pid {listener.pid}){unit}"


def _ending(listener: Listener) -> str:
    if listener.unit:
        return f"systemctl disable --now {listener.unit}"
    return f"kill {listener.pid}" if listener.pid else "see 'ss -ltnp' on the host"


@on_hosts(CUT_OFF, ONLY_OURS_CUT_OFF)
def reach(host: HostReport) -> Iterator[Row]:
    """Replicas reach every server of their service, Sentinels all they watch and each other, both ways."""
    states = {Endpoint(each.address, each.port): each.state for each in host.facts.reach}
    wanted = targets(host.fleet, host.machine)
    blocked = [target for target in wanted if _blocked(host, target, states.get(target.endpoint, SILENT))]
    for machine in dict.fromkeys(target.machine for target in blocked):
        there = [target for target in blocked if target.machine == machine]
        yield _cut(host, machine, there, states)
    if wanted and not blocked:
        opened = sum(state == OPEN for state in states.values())
        quiet = len(states) - opened
        seen = f"{plural(len(states), 'port')} elsewhere can be reached"
        seen += f", {opened} open" if opened else ""
        yield host.holds("network", seen + (f", nothing listens yet at {quiet}" if quiet else ""), CUT_OFF)


def _blocked(host: HostReport, target: Target, state: str) -> bool:
    """Say whether a connection failed for another reason than that nothing listens there."""
    return state != OPEN and (state != REFUSED or not target.machine or _listens(host, target))


def _listens(host: HostReport, target: Target) -> bool:
    """Say whether somebody was seen to listen there, on the machine itself: then a refusal is a firewall's."""
    answer = host.answers.get(target.machine)
    heard = answer.facts.listeners if isinstance(answer, Answered) else ()
    place = target.listens or target.endpoint
    own = {place.address, *_ANY}
    named = is_host_name(place.address)
    return any(each.port == place.port and (named or each.address in own) for each in heard)


def _cut(host: HostReport, machine: str, there: list[Target], states: dict[Endpoint, str]) -> Row:
    """Return the row of one machine that is not reached."""
    subject = f"network to {machine}" if machine else "network to the master outside"
    address = there[0].endpoint.address
    numbers = [str(target.endpoint.port) for target in there]
    said = dict.fromkeys(states.get(target.endpoint, SILENT) for target in there)
    seen = f"{address} port{'s' * (len(numbers) > 1)} {', '.join(numbers)}: {', '.join(said)}"
    fix = f"let {host.address} connect there: firewalls of both machines (nft list ruleset), security groups, routes"
    if isinstance(host.answers.get(machine), str):
        fix = f"{machine} could not be looked at either: see there first"
    needed = [target.needed for target in there if target.needed]
    if needed:
        return host.breaks(subject, f"{seen} ({', '.join(dict.fromkeys(needed))})", fix, CUT_OFF)
    return host.breaks(subject, f"{seen}; only verify and switchover would go this way", fix, ONLY_OURS_CUT_OFF)
