"""Which address each machine has, worked out from what the files say of themselves and of each other."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.sentinels import Place, Sentinel
from redis_fleet.adoption.servers import Server
from redis_fleet.description.members import is_address

LOOPBACK = "127.0.0.1"


def is_loopback(word: str) -> bool:
    """Say whether a word is an address (or the name) that only the machine itself reaches."""
    word = word.lstrip("-")
    return word == "localhost" or (is_address(word) and ipaddress.ip_address(word).is_loopback)


def is_wild(word: str) -> bool:
    """Say whether a word behind ``bind`` stands for all addresses."""
    word = word.lstrip("-")
    return word in ("*", "::*") or (is_address(word) and ipaddress.ip_address(word).is_unspecified)


@dataclass
class Machines:
    """The machines by name, each with its address; more come in where files speak of them."""

    addresses: dict[str, str] = field(default_factory=dict)

    def at(self, address: str) -> str:
        """Return the machine that has an address, a new one where none does."""
        for name, own in self.addresses.items():
            if own == address:
                return name
        if is_loopback(address):
            # Whoever speaks of loopback speaks of the machine that it is on, whatever address that has for others.
            self.addresses.setdefault("localhost", address)
            return "localhost"
        name = ("host-" + "".join(c if c.isalnum() else "-" for c in address)).strip("-")
        self.addresses[name] = address
        return name


def work_out(servers: Sequence[Server], sentinels: Sequence[Sentinel], notes: Notes) -> Machines:
    """Return every machine with its address: as given, bound or announced, or as the others know it."""
    machines = Machines()
    own = [(each.found, each) for each in servers] + [(each.found, each.own) for each in sentinels]
    names = list(dict.fromkeys(found.machine for found, _ in own))
    by_others = dict(_known_by_others(sentinels))
    for name in names:
        here = [process for found, process in own if found.machine == name]
        said = [address for process in here for address in _said(process)]
        said += [
            settings.texts[0].clear
            for each in sentinels
            if each.found.machine == name
            for settings in [each.settings.get("announce-ip")]
            if settings
        ]
        said += [by_others[name]] if name in by_others else []
        said += [name] if is_address(name) else []
        machines.addresses[name] = next((each for each in said if _usable(each)), "")
    _by_elimination(machines, servers, sentinels)
    for name, address in machines.addresses.items():
        if address:
            continue
        machines.addresses[name] = LOOPBACK
        if len(names) > 1:
            notes.add(None, f"no file tells the address of {name}: {LOOPBACK} stands in its place, correct it")
    return machines


def _usable(word: str) -> bool:
    return is_address(word) and not is_loopback(word) and not is_wild(word)


def _said(process: Server) -> Iterator[str]:
    if process.found.address:
        yield process.found.address
    for word in process.bind or ():
        yield word.lstrip("-")
    yield process.word("replica-announce-ip")


def _known_by_others(sentinels: Iterable[Sentinel]) -> Iterator[tuple[str, str]]:
    """Yield machine and address of Sentinels whose id others have written down beside it."""
    by_id = {each.myid: each.found.machine for each in sentinels if each.myid}
    for each in sentinels:
        for monitor in each.monitors.values():
            for id_, (address, _) in monitor.fellows.items():
                if id_ in by_id:
                    yield by_id[id_], address


def _by_elimination(machines: Machines, servers: Sequence[Server], sentinels: Sequence[Sentinel]) -> None:
    """The one machine without an address has the one address that all speak of and no machine has."""
    spoken = {each.follows for each in servers if each.follows}
    for each in sentinels:
        for monitor in each.monitors.values():
            spoken |= {monitor.master, *monitor.known}
    open_ = [name for name, address in machines.addresses.items() if not address]
    left = {host for host, _ in spoken if _usable(host)} - set(machines.addresses.values())
    if len(open_) == 1 and len(left) == 1:
        machine, (address,) = open_[0], left
        here = [each for each in servers if each.found.machine == machine]
        spoken_to = any((address, each.port) in spoken for each in here)
        if spoken_to and not any(each.follows and each.follows[0] == address for each in here):
            machines.addresses[machine] = address


def place_of(server: Server, machines: Machines) -> Place:
    """Return where others find a server: what it announces, else its machine's address and its port."""
    announced = server.word("replica-announce-ip")
    port = server.word("replica-announce-port")
    address = announced if is_address(announced) else machines.addresses[server.found.machine]
    return address, int(port) if port.isdecimal() and int(port) else server.port
