"""Addresses, ports and firewalls: where the processes will listen, and who gets there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from redis_fleet import kinds
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.reach import OPEN, REFUSED, SILENT
from redis_fleet.model import Fleet, Process
from redis_fleet.preflight.rows import Answer, Row, Site, plural

_ANY = {"*", "0.0.0.0", "::", "::*"}  # noqa: S104


class Target(NamedTuple):
    """A place that a machine should get to: whose it is (empty: not of this deployment), and what for (empty: no need).

    What is not needed every day is still connected to by ``verify`` and ``switchover``, which run from any machine.
    """

    endpoint: Endpoint
    process: str
    machine: str
    needed: str


def targets(fleet: Fleet, machine: str) -> list[Target]:
    """Return every process on other machines, and masters outside the file, that a machine should get to."""
    here = list(fleet.on(machine))
    found = []
    for process in fleet.processes:
        if process.machine != machine and not ipaddress.ip_address(process.endpoint.address).is_loopback:
            found.append(Target(process.endpoint, process.id, process.machine, _needed(fleet, here, process)))
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


def address(site: Site) -> Iterator[Row]:
    """A server binds to the machine's own addresses; behind NAT it must be told what others know it by (E36, W13)."""
    if site.answer["addresses"].get(site.address):
        yield site.good("address", f"{site.address} is an address of this machine", "W13")
        return
    has = ", ".join(site.answer["own_addresses"]) or "none but loopback"
    seen = f"{site.address} is not an address of this machine; it has {has}"
    binding = [process for process in site.processes if site.address in _bound(process)]
    silent = [process for process in site.processes if not _announced(site, process)]
    if binding:
        fix = (
            "write one of those as 'address:'; behind NAT 'bind:' the inner address and set replica-announce-ip and "
            "Sentinel's announce-ip to the outer one"
        )
        yield site.fail("address", f"{seen}: {_names(binding)} cannot listen there", fix, "E36")
    elif silent:
        fix = f"set replica-announce-ip and Sentinel's announce-ip to {site.address}"
        yield site.warn("address", f"{seen}: Sentinels would learn the inner one of {_names(silent)}", fix, "W13")
    else:
        yield site.good("address", f"{seen}; every process announces it", "W13")


def _bound(process: Process) -> list[str]:
    """Return the addresses that a process insists on; none: the engine's own default."""
    setting = process.setting("bind")
    return [word for word in setting.lines[0] if not word.startswith("-")] if setting and setting.lines else []


def _announced(site: Site, process: Process) -> bool:
    setting = process.setting(kinds.of(process).announce)
    return bool(setting and setting.lines and setting.lines[0][:1] == (site.address,))


def _names(processes: list[Process]) -> str:
    return ", ".join(process.name for process in processes)


def ports(site: Site) -> Iterator[Row]:
    """A port that another program has is not there for a server (E32)."""
    taken = 0
    for process in site.processes:
        others = [each for each in site.answer["listeners"] if _in_the_way(each, process)]
        for other in others[:1]:
            taken += 1
            where = Endpoint(other["address"], other["port"])
            fix = f"end it ({_ending(other)}), or give the process another port"
            if other["ours"]:
                fix = "it left the description, or has another place in it; see what 'plan' says to it"
            yield site.fail(f"port of {process.name}", f"{where} is held by {_holder(other)}", fix, "E32")
    if site.processes and not taken:
        wanted = sorted({process.endpoint.port for process in site.processes})
        yield site.good("ports", f"{', '.join(map(str, wanted))} are free or our own", "E32")


def _in_the_way(listener: Answer, process: Process) -> bool:
    """Say whether somebody else listens where a process would."""
    if listener["port"] != process.endpoint.port or (listener["unit"] and listener["unit"] == process.unit):
        return False
    wanted = {word.lstrip("-") for word in _bound(process)} or _ANY
    return listener["address"] in wanted or bool(_ANY & {listener["address"], *wanted})


def _holder(listener: Answer) -> str:
    if not listener["pid"]:
        return "a process that cannot be seen from here"
    unit = f" of {listener['unit']}" if listener["unit"] else ""
    return f"{listener['program']} (pid {listener['pid']}){unit}"


def _ending(listener: Answer) -> str:
    if listener["unit"]:
        return f"systemctl disable --now {listener['unit']}"
    return f"kill {listener['pid']}" if listener["pid"] else "see 'ss -ltnp' on the host"


def reach(site: Site) -> Iterator[Row]:
    """Replicas reach every server of their service, Sentinels all they watch and each other, both ways (E33, W35)."""
    states = {Endpoint(each["address"], each["port"]): each["state"] for each in site.answer["reach"]}
    wanted = targets(site.fleet, site.machine)
    blocked = [target for target in wanted if _blocked(site, target, states.get(target.endpoint, SILENT))]
    for machine in dict.fromkeys(target.machine for target in blocked):
        there = [target for target in blocked if target.machine == machine]
        yield _cut(site, machine, there, states)
    if wanted and not blocked:
        opened = sum(state == OPEN for state in states.values())
        quiet = len(states) - opened
        seen = f"{plural(len(states), 'port')} elsewhere can be reached"
        seen += f", {opened} open" if opened else ""
        yield site.good("network", seen + (f", nothing listens yet at {quiet}" if quiet else ""), "E33")


def _blocked(site: Site, target: Target, state: str) -> bool:
    """Say whether a connection failed for another reason than that nothing listens there."""
    return state != OPEN and (state != REFUSED or not target.machine or _listens(site, target))


def _listens(site: Site, target: Target) -> bool:
    """Say whether somebody was seen to listen there, on the machine itself: then a refusal is a firewall's."""
    answer = site.answers.get(target.machine, {})
    place = target.endpoint
    return any(
        each["port"] == place.port and each["address"] in {place.address, *_ANY} for each in answer.get("listeners", ())
    )


def _cut(site: Site, machine: str, there: list[Target], states: dict[Endpoint, str]) -> Row:
    """Return the row of one machine that is not reached."""
    subject = f"network to {machine}" if machine else "network to the master outside"
    address = there[0].endpoint.address
    numbers = [str(target.endpoint.port) for target in there]
    said = dict.fromkeys(states.get(target.endpoint, SILENT) for target in there)
    seen = f"{address} port{'s' * (len(numbers) > 1)} {', '.join(numbers)}: {', '.join(said)}"
    fix = f"let {site.address} connect there: firewalls of both machines (nft list ruleset), security groups, routes"
    if machine and "error" in site.answers.get(machine, {}):
        fix = f"{machine} could not be looked at either: see there first"
    needed = [target.needed for target in there if target.needed]
    if needed:
        return site.fail(subject, f"{seen} ({', '.join(dict.fromkeys(needed))})", fix, "E33")
    return site.warn(subject, f"{seen}; only verify and switchover would go this way", fix, "W35")


CHECKS = (address, ports, reach)
