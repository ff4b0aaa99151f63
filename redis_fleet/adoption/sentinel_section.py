"""The ``sentinel`` section of the description, and how it watches each service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from redis_fleet.adoption import adopted, merging, yaml_text
from redis_fleet.adoption.groups import Group, Member
from redis_fleet.adoption.knowledge import Knowledge
from redis_fleet.adoption.machines import Machines
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.secrets import Book
from redis_fleet.adoption.sentinels import Monitor, Sentinel
from redis_fleet.adoption.service_section import listening, place, short, usual
from redis_fleet.adoption.texts import Hidden, Text, Value
from redis_fleet.adoption.writer import Node
from redis_fleet.problems import Position

# A service has them beside its name; other lines of a monitor stand below ``config:``.
_OF_A_SERVICE = ("down-after-milliseconds", "failover-timeout", "parallel-syncs")
# Said by the service's password.
_PASSWORD = "auth-pass"  # noqa: S105 a directive's name


@dataclass
class SentinelSection:
    """The Sentinels while they are written."""

    sentinels: Sequence[Sentinel]
    groups: Sequence[Group]
    merged: merging.MergedSection
    members: Sequence[Member]
    notes: Notes

    @classmethod
    def of(
        cls,
        sentinels: Sequence[Sentinel],
        groups: Sequence[Group],
        knowledge: Knowledge,
        book: Book,
        notes: Notes,
        machines: Machines,
    ) -> SentinelSection:
        """Make the section; Sentinels that only the others know of come behind those whose files are at hand."""
        members = [Member(each.found.machine, each.own.port, each.own) for each in sentinels]
        at_hand = {(each.machine, each.port) for each in members}
        ids = {each.myid for each in sentinels if each.myid}
        for address, port in dict.fromkeys(_fellows(sentinels, ids)):
            if (machines.find(address), port) not in at_hand:
                members.append(Member(machines.at(address), port))
                text = f"the Sentinel at {address}:{port} is known to the others; its file was not given"
                notes.add(None, f"{text}: import its machine too")
        places = [(each.machine, each.port) for each in members if each.server]
        others = [(each.machine, each.port) for each in members if not each.server]
        merged = merging.MergedSection("sentinel", places, others, knowledge, book, notes, machines.addresses)
        return cls(sentinels, groups, merged, members, notes)

    def keys(self) -> dict[str, Node]:
        """Return what stands below ``sentinel:``."""
        port = usual([each.port for each in self.members])
        keys: dict[str, Node] = {"machines": [merging.Written(place(each, port)) for each in self.members]}
        if port != 26379:
            keys["port"] = str(port)
        watched = [found for each in self.groups if (found := _monitor(each, self.sentinels))]
        quorums = {each.quorum for each in watched}
        if len(quorums) == 1:
            keys["quorum"] = str(quorums.pop())
        keys |= self._password()
        own = [each.own for each in self.sentinels]
        keys |= listening(own, self.merged, "password" in keys)
        keys["adopted"] = adopted.keys(self.members, self.merged)
        config = self._config()
        if config:
            keys["config"] = config
        self._say_passwords()
        return keys

    def _password(self) -> dict[str, Node]:
        given = [each.own.password for each in self.sentinels]
        chosen = next((each for each in given if each), None)
        for sentinel, each in zip(self.sentinels, given, strict=True):
            if (each.value if each else None) != (chosen.value if chosen else None):
                place_ = each.position if each and each.position else Position(sentinel.found.file)
                self.notes.add(place_, "requirepass is not that of the other Sentinels; a description has one for all")
        return {"password": self.merged.written(Text((chosen,)))} if chosen else {}

    def _config(self) -> dict[str, Node]:
        ordinary = [dict(each.own.values) | dict(each.settings) for each in self.sentinels]
        common = _common_options(self.groups, self.sentinels)
        whole = self.merged.config([{**each, **common} for each in ordinary])
        return {name: short(texts) for name, texts in whole.items()}

    def _say_passwords(self) -> None:
        by_name = {each.monitor: each for each in self.groups}
        for sentinel in self.sentinels:
            for monitor in sentinel.monitors.values():
                option = monitor.options.get(_PASSWORD)
                group = by_name.get(monitor.name)
                own = next((each.password for each in (group.servers if group else ()) if each.password), None)
                if group and not group.servers:
                    own = told_password(group, self.sentinels)
                said = option.texts[0].clear if option else None
                if said == (own.value.reveal() if own else None):
                    continue
                line = option.position if option else monitor.statement.position
                what = (
                    "is not the password of its service" if option else "is missing, though its service has a password"
                )
                self.notes.add(line, f"sentinel auth-pass {monitor.name} {what}; the description has one for both")


def watch(group: Group, groups: Sequence[Group], sentinels: Sequence[Sentinel], notes: Notes) -> Node:
    """Return a service's own ``sentinel:`` part: ``no`` when it is not watched, nothing when it is like all others."""
    own = _monitor(group, sentinels)
    if own is None:
        return "no"
    # A service without replicas is watched only where it says how.
    named = own.name != group.name or len(group.members) == 1
    keys: dict[str, Node] = {"name": own.name} if named else {}
    others = [found for each in groups if (found := _monitor(each, sentinels))]
    if any(each.quorum != own.quorum for each in others):
        keys["quorum"] = str(own.quorum)
    special: dict[str, Node] = {}
    for name, value in own.options.items():
        if name == _PASSWORD or all(_form(each, name) == _form(own, name) for each in others):
            continue
        if name in _OF_A_SERVICE:
            keys[name] = value.texts[0].clear
        else:
            special[name] = short([merging.Written(yaml_text.template(text, {})) for text in value.texts])
    if special:
        keys["config"] = special
    _say_what_differs(own, sentinels, notes)
    return keys


def told_password(group: Group, sentinels: Sequence[Sentinel]) -> Hidden | None:
    """Return the password with which the first Sentinel that has one logs in to the servers of a service."""
    options = (each.monitors[group.monitor].options for each in sentinels if group.monitor in each.monitors)
    texts = (option.texts[0] for each in options if (option := each.get(_PASSWORD)))
    return next((hidden for text in texts for hidden in text.hidden), None)


def _form(monitor: Monitor, name: str) -> object:
    value = monitor.options.get(name)
    return value.form if value else None


def _monitor(group: Group, sentinels: Sequence[Sentinel]) -> Monitor | None:
    """Return a service's monitor as the first Sentinel has it."""
    return next((each.monitors[group.monitor] for each in sentinels if group.monitor in each.monitors), None)


def _say_what_differs(own: Monitor, sentinels: Sequence[Sentinel], notes: Notes) -> None:
    """Sentinels that watch one master differently: a description says it once for all of them."""
    for each in sentinels:
        other = each.monitors.get(own.name)
        if other is None:
            notes.add(
                Position(each.found.file), f"does not watch {own.name}, the other Sentinels do; described as one set"
            )
            continue
        if other.quorum != own.quorum:
            notes.add(
                other.statement, f"quorum {other.quorum} is {own.quorum} at {own.statement.position}; that is described"
            )
        for name in (set(own.options) | set(other.options)) - {_PASSWORD}:
            if _form(own, name) != _form(other, name):
                value = other.options.get(name) or own.options[name]
                text = f"sentinel {name} {own.name} is not the same in {own.statement.position.file} and"
                notes.add(value.position, f"{text} {each.found.file}; the former is described")


def _common_options(groups: Sequence[Group], sentinels: Sequence[Sentinel]) -> Mapping[str, Value]:
    """Return the lines of monitors that are the same for all watched services; others stand at their service."""
    monitors = [found for each in groups if (found := _monitor(each, sentinels))]
    made: dict[str, Value] = {}
    for name in dict.fromkeys(name for each in monitors for name in each.options if name != _PASSWORD):
        if len({_form(each, name) for each in monitors}) == 1:
            made[name] = next(each.options[name] for each in monitors if name in each.options)
    return made


def _fellows(sentinels: Sequence[Sentinel], ids: set[str]) -> Iterator[tuple[str, int]]:
    for each in sentinels:
        for monitor in each.monitors.values():
            yield from (place for id_, place in monitor.fellows.items() if id_ not in ids)
