"""Which processes are one service: masters and replicas by what they follow and by what the Sentinels watch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from posixpath import basename

from redis_fleet.adoption.addresses import place_of
from redis_fleet.adoption.found import RefusedError
from redis_fleet.adoption.machines import Machines, is_loopback
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.sentinels import Monitor, Place, Sentinel
from redis_fleet.adoption.servers import Server
from redis_fleet.description.members import is_address

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True)
class Member:
    """One process of a service; ``server`` is None where only the others speak of it."""

    machine: str
    port: int
    server: Server | None = None


@dataclass(frozen=True)
class Group:
    """One service: its master in front, unless that is ``external``; ``monitor`` is what the Sentinels call it."""

    name: str
    members: tuple[Member, ...]
    external: Place | None = None
    monitor: str = ""

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes whose files are at hand."""
        return tuple(each.server for each in self.members if each.server)


def group(
    servers: Sequence[Server], sentinels: Sequence[Sentinel], machines: Machines, notes: Notes
) -> tuple[Group, ...]:
    """Return the services, in the order of the files."""
    return _Grouping(servers, machines, notes).run(sentinels)


class _Grouping:
    def __init__(self, servers: Sequence[Server], machines: Machines, notes: Notes) -> None:
        self.servers, self.machines, self.notes = servers, machines, notes
        self.parents: dict[object, object] = {}
        self.named: dict[str, tuple[int | Place, Monitor]] = {}
        self.watched: dict[Place, None] = {}
        self.names: set[str] = set()
        self._say_who_claims_the_same()

    def run(self, sentinels: Sequence[Sentinel]) -> tuple[Group, ...]:
        for index, each in enumerate(self.servers):
            self._find(index)
            if each.follows:
                self._join(index, self._node(each.follows, each.found.machine))
        for sentinel in sentinels:
            for monitor in sentinel.monitors.values():
                here = sentinel.found.machine
                first = self._node(monitor.master, here)
                self._same_master(monitor, first)
                self._say_which_loopback(monitor, first, here)
                known = [first, *(self._node(place, here) for place in monitor.known)]
                self.watched |= dict.fromkeys(each for each in known if not isinstance(each, int))
                for place in monitor.known:
                    self._join(first, self._node(place, here))
                self._find(first)
                self._join(monitor.name, first)
        sets: dict[object, list[object]] = {}
        for node in list(self.parents):
            sets.setdefault(self._find(node), []).append(node)
        return tuple(self._group(nodes) for nodes in sets.values())

    def _same_master(self, monitor: Monitor, node: int | Place) -> None:
        """Raise RefusedError where two Sentinels name different masters: who is one, files cannot tell."""
        first, other = self.named.setdefault(monitor.name, (node, monitor))
        if first != node:
            mine, theirs = (f"{host}:{port}" for host, port in (monitor.master, other.master))
            what = f"the master of {monitor.name} is {mine} here, and {theirs} at {other.statement.position}"
            how = "ask both servers for their ROLE, let the Sentinels agree, and import again"
            raise RefusedError(monitor.statement.position, f"{what}: nothing is chosen; {how}")

    def _say_which_loopback(self, monitor: Monitor, node: int | Place, machine: str) -> None:
        host, port = monitor.master
        own = self.machines.addresses.get(machine, "")
        if is_loopback(host) and own and own != host and isinstance(node, tuple):
            text = f"{host}:{port} is on {machine} itself, so it is described with its address, {own}"
            self.notes.add(monitor.statement, text)

    def _find(self, node: object) -> object:
        self.parents.setdefault(node, node)
        while self.parents[node] != node:
            node = self.parents[node]
        return node

    def _join(self, one: object, other: object) -> None:
        first, second = self._find(one), self._find(other)
        # Those of the files stay in front: the order of services is that of the files.
        if isinstance(second, int) and not isinstance(first, int):
            first, second = second, first
        self.parents[second] = first

    def _node(self, place: Place, from_machine: str) -> int | Place:
        """Return the server at a place (its index), or the place itself when its file is not at hand."""
        host, port = place
        local = [i for i, each in enumerate(self.servers) if each.port == port and each.found.machine == from_machine]
        if is_loopback(host) and local:
            return local[0]
        named = self.machines.hosts.get(host, host.partition(".")[0])
        for index, each in enumerate(self.servers):
            here = (self.machines.addresses[each.found.machine], each.port)
            if place in (here, place_of(each, self.machines)) or (
                host in (each.bind or ()) and port == each.port and not is_loopback(host)
            ):
                return index
            if not is_address(host) and each.port == port and each.found.machine in (host, named):
                return index
        loopback = [
            i
            for i, each in enumerate(self.servers)
            if each.port == port and is_loopback(host) and is_loopback(self.machines.addresses[each.found.machine])
        ]
        return loopback[0] if loopback else place

    def _at(self, node: int | Place) -> Place:
        """Return the machine and port of a place."""
        host, port = (self.servers[node].found.machine, 0) if isinstance(node, int) else node
        return self.machines.find(host) or host, port

    def _say_who_claims_the_same(self) -> None:
        taken: dict[Place, Server] = {}
        for each in self.servers:
            place = (self.machines.addresses[each.found.machine], each.port)
            other = taken.setdefault(place, each)
            if other is not each and each.port:
                text = f"{place[0]}:{place[1]} is claimed by {other.found.file} and by {each.found.file}"
                self.notes.add(each.statements.get("port"), f"{text}; only one of them can run")

    def _group(self, nodes: list[object]) -> Group:
        own = [each for each in nodes if isinstance(each, int)]
        places = [each for each in nodes if isinstance(each, tuple)]
        monitors = [each for each in nodes if isinstance(each, str)]
        monitor = monitors[0] if monitors else ""
        for other in monitors[1:]:
            self.notes.add(None, f"the Sentinels know one set as {monitor} and as {other}; {monitor} is described")
        unknown = [place for place in places if place in self.watched]
        members = [Member(self.servers[i].found.machine, self.servers[i].port, self.servers[i]) for i in own]
        members += [Member(self.machines.at(host), port) for host, port in unknown]
        for host, port in unknown:
            text = f"{host}:{port} is one of {monitor}; its file was not given, so it is described like the others"
            self.notes.add(None, f"{text}: import its machine too")
        external = next((self._outside(place) for place in places if place not in self.watched), None)
        master = self._master(members, monitor, external)
        if master is not None:
            members.remove(master)
            members.insert(0, master)
            external = None
        return Group(self._name(monitor, members), tuple(members), external, monitor)

    def _outside(self, place: Place) -> Place:
        """Return a master outside the files as it is written."""
        host, port = place
        return host if is_address(host) else self.machines.address_of(host), port

    def _master(self, members: list[Member], monitor: str, external: Place | None) -> Member | None:
        """Return the member that is the master today: its file follows nobody; else the one that the Sentinels name."""
        free = [each for each in members if each.server and each.server.follows is None]
        watched = self._watched_master(members, monitor)
        if len(free) == 1 or (free and watched not in free):
            master = free[0]
        elif watched is not None:
            master = watched
        elif external is not None:
            return None
        else:
            master = free[0] if free else members[0]
        if watched is not None and watched is not master:
            text = f"the Sentinels name {watched.machine}:{watched.port} as master of {monitor}, the servers' own files"
            self.notes.add(None, f"{text} {master.machine}:{master.port}; the latter is described")
        self._say_what_is_bent(members, master)
        return master

    def _watched_master(self, members: list[Member], monitor: str) -> Member | None:
        if not monitor:
            return None
        for each in members:
            node = self._node(self.named[monitor][1].master, each.machine)
            if (isinstance(node, int) and each.server is self.servers[node]) or (
                each.server is None and self._at(node) == (each.machine, each.port)
            ):
                return each
        return None

    def _say_what_is_bent(self, members: list[Member], master: Member) -> None:
        for each in members:
            if each is master or each.server is None:
                continue
            line = each.server.statements.get("replicaof")
            if each.server.follows is None:
                text = f"{each.server.found.file} follows nobody; described as a replica of {master.machine}"
                self.notes.add(line, f"{text}:{master.port}")
                continue
            node = self._node(each.server.follows, each.machine)
            if not (isinstance(node, int) and self.servers[node] is master.server) and not (
                master.server is None and self._at(node) == (master.machine, master.port)
            ):
                text = "follows a replica; a description knows direct replicas only, so it is one of"
                self.notes.add(line, f"{text} {master.machine}:{master.port}")

    def _name(self, monitor: str, members: Iterable[Member]) -> str:
        first = next((each for each in members), None)
        assert first is not None
        engine = first.server.found.engine if first.server else "redis"
        stem = basename(first.server.found.configuration).removesuffix(".conf") if first.server else ""
        short = stem.removeprefix("redis-").removeprefix("valkey-")
        own = "" if stem in ("redis", "valkey") or short.isdecimal() else short
        where = f"-{first.port}" if first.port else ""
        name = next(each for each in (monitor, own, f"{engine}{where}") if _NAME.match(each))
        if monitor and name != monitor:
            self.notes.add(None, f"the monitor name '{monitor}' cannot be written in a description; {name} is used")
        longer = f"{name}-{first.machine}"
        # Several on one machine that have no port are told apart by a number.
        numbered = (f"{longer}-{number}" for number in count(2))
        name = next(each for each in chain((name, longer, f"{longer}{where}"), numbered) if each not in self.names)
        self.names.add(name)
        return name
