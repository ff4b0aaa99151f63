"""One service of the description: its processes, its passwords and what their files say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis_fleet.adoption import adopted, merging
from redis_fleet.adoption.groups import Group, Member
from redis_fleet.adoption.knowledge import Knowledge
from redis_fleet.adoption.machines import Machines, is_loopback
from redis_fleet.adoption.merging import Written
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.secrets import Book
from redis_fleet.adoption.servers import Server
from redis_fleet.adoption.texts import Hidden, Text, plain
from redis_fleet.adoption.writer import AS_IT_WAS, Node
from redis_fleet.problems import Position


@dataclass
class ServiceSection:
    """One service while it is written; ``told`` is its password as the Sentinels have it."""

    group: Group
    merged: merging.MergedSection
    notes: Notes
    told: Hidden | None = None

    @classmethod
    def of(
        cls,
        group: Group,
        knowledge: Knowledge,
        book: Book,
        notes: Notes,
        machines: Machines,
        told: Hidden | None = None,
    ) -> ServiceSection:
        """Make the section of a service."""
        places = [(each.machine, each.port) for each in group.members if each.server]
        others = [(each.machine, each.port) for each in group.members if not each.server]
        merged = merging.MergedSection(group.name, places, others, knowledge, book, notes, machines.addresses)
        return cls(group, merged, notes, told)

    def keys(self, watch: Node | None) -> dict[str, Node]:
        """Return what stands below the service's name; ``watch`` is its ``sentinel:`` part."""
        servers = self.group.servers
        keys = self._who()
        keys |= self._passwords()
        keys |= listening(servers, self.merged, "password" in keys)
        keys |= {"adopted": adopted.keys(self.group.members, self.merged)}
        config = self.merged.config([each.values for each in servers])
        if config:
            keys["config"] = {name: short(texts) for name, texts in config.items()}
        if watch:
            keys["sentinel"] = watch
        return keys

    def _who(self) -> dict[str, Node]:
        members = list(self.group.members)
        port = usual(each.port for each in members)
        keys: dict[str, Node] = {}
        if self.group.external is None:
            keys["master"] = place(members.pop(0), port)
        else:
            keys["replicaof"] = " ".join(map(str, self.group.external))
        if members:
            keys["replicas"] = [Written(place(each, port)) for each in members]
        if port != 6379:
            keys["port"] = str(port)
        return keys

    def _passwords(self) -> dict[str, Node]:
        servers = self.group.servers
        # Where no server's file is at hand, what its Sentinels log in with is all that is known of it.
        own = self._chosen("requirepass", [each.password for each in servers]) if servers else self.told
        upstream = self._chosen("masterauth", [each.upstream for each in servers])
        keys: dict[str, Node] = {}
        if own:
            keys["password"] = self._secret(own)
        linked = len(self.group.members) > 1 or self.group.external is not None
        same = own is not None and upstream is not None and own.value == upstream.value
        if upstream and not (same and linked):
            keys["master-password"] = self._secret(upstream)
        for each in servers:
            if linked and own and each.upstream is None:
                text = "has no masterauth; the description gives it the password, for after a failover it needs one"
                self.notes.add(Position(each.found.file), text)
        return keys

    def _chosen(self, name: str, given: Sequence[Hidden | None]) -> Hidden | None:
        """Return the secret of the first process, the master; the others should have the same."""
        first = given[0] if given else None
        chosen = first or next((each for each in given if each), None)
        for server, each in zip(self.group.servers, given, strict=True):
            if (each.value if each else None) != (chosen.value if chosen else None) and not (
                name == "masterauth" and each is None
            ):
                place_ = each.position if each and each.position else Position(server.found.file)
                what = "differs from" if each else "is missing beside"
                text = f"{name} {what} the one at {chosen.position if chosen else 'the master'}"
                self.notes.add(place_, f"{text}; a service has one, that one is described")
        return chosen

    def _secret(self, hidden: Hidden) -> Written:
        return self.merged.written(Text((hidden,)))


def usual(ports: Iterable[int]) -> int:
    """Return the port that most have, the first of them."""
    return Counter(ports).most_common(1)[0][0]


def place(member: Member, port: int) -> str:
    """Write a member as the description does: its port only where it is another."""
    return member.machine if member.port == port else f"{member.machine}:{member.port}"


def short(texts: Sequence[Written]) -> Node:
    """Return one text alone as what it is, several (or none) as a list."""
    return texts[0] if len(texts) == 1 else texts


def listening(servers: Sequence[Server], merged: merging.MergedSection, has_password: bool) -> dict[str, Node]:
    """Return ``bind`` and, where anybody gets in, ``open-to-network``."""
    keys: dict[str, Node] = {}
    given = [each.bind for each in servers]
    if any(each is not None for each in given):
        default = merged.knowledge.directive("bind").default or "*"
        texts = [plain(" ".join(each) if each is not None else default)[0] for each in given]
        for each in servers:
            if each.bind is None:
                merged.notes.add(Position(each.found.file), f"has no bind line; described as 'bind {default}'")
        bind = merged.differing("bind", texts)
        words = (
            [Written(word) for word in bind.text.split()] if "{%" not in bind.text and "{{ " not in bind.text else []
        )
        keys["bind"] = words if len(words) > 1 else bind
    open_ = [each.bind for each in servers if each.port]
    reached = any(each is None or any(not is_loopback(word) for word in each if word) for each in open_)
    if reached and not has_password:
        keys["open-to-network"] = AS_IT_WAS
    return keys
