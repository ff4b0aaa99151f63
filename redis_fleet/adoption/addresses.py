"""Which address each machine has, worked out from what the files say of themselves and of each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from redis_fleet.adoption.machines import LOOPBACK, Machines, is_loopback, is_wild
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.sentinels import Place, Sentinel
from redis_fleet.adoption.servers import Server
from redis_fleet.description.members import is_address


def work_out(servers: Sequence[Server], sentinels: Sequence[Sentinel], notes: Notes, *, by_name: bool) -> Machines:
    """Return every machine with its address: as announced, given or bound, or as the others know it.

    ``by_name``: a host name is as good as an address.
    """
    machines = Machines(by_name)
    own = [(each.found, each) for each in servers] + [(each.found, each.own) for each in sentinels]
    names = list(dict.fromkeys(found.machine for found, _ in own))
    by_others = dict(_known_by_others(sentinels))
    for name in names:
        here = [process for found, process in own if found.machine == name]
        announced = list(_announced(name, here, sentinels))
        said = [*announced, *(address for process in here for address in _said(process))]
        said += [by_others[name]] if name in by_others else []
        said += [name] if is_address(name) else []
        host = next((each for each in announced if by_name and each and not is_address(each)), "")
        machines.addresses[name] = host or next((each for each in said if _usable(each)), "")
    _by_elimination(machines, servers, sentinels)
    for host, machine in _by_names(servers, sentinels, notes):
        machines.hosts[host] = machine
        if by_name and not machines.addresses[machine]:
            machines.addresses[machine] = host
    _stand_in(machines, servers, sentinels)
    return machines


def _usable(word: str) -> bool:
    return is_address(word) and not is_loopback(word) and not is_wild(word)


def _announced(machine: str, here: Iterable[Server], sentinels: Iterable[Sentinel]) -> Iterator[str]:
    """Yield what a machine's processes say that others know them by: that, no inner address, is the described one."""
    yield from (process.word("replica-announce-ip") for process in here)
    for each in sentinels:
        settings = each.settings.get("announce-ip")
        if each.found.machine == machine and settings:
            yield settings.texts[0].clear


def _said(process: Server) -> Iterator[str]:
    if process.found.address:
        yield process.found.address
    for word in process.bind or ():
        yield word.lstrip("-")


def _known_by_others(sentinels: Iterable[Sentinel]) -> Iterator[tuple[str, str]]:
    """Yield machine and address of Sentinels whose id others have written down beside it."""
    by_id = {each.myid: each.found.machine for each in sentinels if each.myid}
    for each in sentinels:
        for monitor in each.monitors.values():
            for id_, (address, _) in monitor.fellows.items():
                if id_ in by_id:
                    yield by_id[id_], address


def _spoken(servers: Iterable[Server], sentinels: Iterable[Sentinel]) -> Iterator[Place]:
    """Yield the places of servers that files speak of."""
    for each in servers:
        if each.follows:
            yield each.follows
    for watching in sentinels:
        for monitor in watching.monitors.values():
            yield from (monitor.master, *monitor.known)


def _by_elimination(machines: Machines, servers: Sequence[Server], sentinels: Sequence[Sentinel]) -> None:
    """The one machine without an address has the one address that all speak of and no machine has."""
    spoken = set(_spoken(servers, sentinels))
    open_ = [name for name, address in machines.addresses.items() if not address]
    left = {host for host, _ in spoken if _usable(host)} - set(machines.addresses.values())
    if len(open_) == 1 and len(left) == 1:
        machine, (address,) = open_[0], left
        here = [each for each in servers if each.found.machine == machine]
        spoken_to = any((address, each.port) in spoken for each in here)
        if spoken_to and not any(each.follows and each.follows[0] == address for each in here):
            machines.addresses[machine] = address


def _by_names(servers: Sequence[Server], sentinels: Sequence[Sentinel], notes: Notes) -> Iterator[tuple[str, str]]:
    """Yield host name and machine, where a machine whose file is at hand can only be the one that others name."""
    for host, port in dict.fromkeys(_spoken(servers, sentinels)):
        if is_address(host) or is_loopback(host):
            continue
        able = [each for each in servers if each.port == port and (each.follows or ("",))[0] != host]
        named = [each for each in able if _same_name(each.found.machine, host)]
        alike = [each for each in able if _alike(each.found.machine, host)]
        only = [each for each in able if _is_the_one(each, host, able, servers)]
        for found, why in ((named, ""), (alike, "by its name"), (only, "by all others, which follow it")):
            if len(found) != 1:
                continue
            machine = found[0].found.machine
            if why:
                notes.add(None, f"{host}:{port} is taken to be the server on {machine}, {why}; correct it if not")
            yield host, machine
            break


def _same_name(machine: str, host: str) -> bool:
    return machine in (host, host.partition(".")[0])


def _alike(machine: str, host: str) -> bool:
    """Say whether one name is the other's beginning or end: redis-master and master."""
    one, other = sorted((re.split(r"[-_.]", machine), re.split(r"[-_.]", host.partition(".")[0])), key=len)
    return other[: len(one)] == one or other[len(other) - len(one) :] == one


def _is_the_one(server: Server, host: str, able: Sequence[Server], servers: Sequence[Server]) -> bool:
    """Say whether a server follows nobody, all others follow the host, and their passwords are the same."""
    others = [each for each in servers if each is not server]
    followed = bool(others) and all(each.follows and each.follows[0] == host for each in others)
    own = server.password.value if server.password else None
    let_in = all((each.upstream.value if each.upstream else None) == own for each in others)
    return server.follows is None and len(able) == 1 and followed and let_in


def _stand_in(machines: Machines, servers: Sequence[Server], sentinels: Sequence[Sentinel]) -> None:
    """Give machines whose address no file tells one of nobody, or loopback where all are on one machine or alone."""
    spoken = [host for host, _ in _spoken(servers, sentinels) if not is_loopback(host)]
    taken: set[int] = set()
    for name in [name for name, address in machines.addresses.items() if not address]:
        ports = {port for machine, port, _ in _processes(servers, sentinels) if machine == name}
        alone = len(machines.addresses) == 1 and not spoken
        if alone or (not ports & taken and _on_loopback(name, servers, sentinels)):
            machines.addresses[name] = LOOPBACK
            taken |= ports
        else:
            machines.addresses[name] = machines.instead(name)


def _processes(
    servers: Iterable[Server], sentinels: Iterable[Sentinel]
) -> Iterator[tuple[str, int, tuple[Sequence[str] | None, list[Place]]]]:
    """Yield machine, port, what it binds, and the places that it speaks of."""
    for each in servers:
        yield each.found.machine, each.port, (each.bind, [each.follows] if each.follows else [])
    for one in sentinels:
        yield one.found.machine, one.own.port, (one.own.bind, [every.master for every in one.monitors.values()])


def _on_loopback(machine: str, servers: Sequence[Server], sentinels: Sequence[Sentinel]) -> bool:
    """Say whether all that is in a folder is reached by loopback alone, or speaks by it with what is in others."""
    every = list(_processes(servers, sentinels))
    here = [each for each in every if each[0] == machine]
    away = {port for name, _, (_, places) in every if name != machine for host, port in places if is_loopback(host)}
    return (
        all(bind and all(map(is_loopback, bind)) for _, _, (bind, _) in here)
        or any(is_loopback(host) for _, _, (_, places) in here for host, _ in places)
        or any(port in away for _, port, _ in here)
    )


def place_of(server: Server, machines: Machines) -> Place:
    """Return where others find a server: what it announces, else its machine's address and its port."""
    announced = server.word("replica-announce-ip")
    port = server.word("replica-announce-port")
    address = announced if is_address(announced) else machines.addresses[server.found.machine]
    return address, int(port) if port.isdecimal() and int(port) else server.port
