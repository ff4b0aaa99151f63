"""What the rules of an ACL user come to, so that two ways to write them can be compared (acl.c: ACLSetUser).

Up to Redis 7.0 a server writes a user's commands in an order of its own, and with other categories than it was given;
what is allowed in the end is the same, and is worked out here from the categories that the server itself names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from redis_fleet.agent.conf.acl_words import GIVEN
from redis_fleet.agent.host.digest import matches
from redis_fleet.catalogue.acl import joined, password_hash

Categories = Mapping[str, tuple[str, ...]]
"""The commands of each category, subcommands as ``config|get``; empty where no server could be asked."""
PAYLOAD = "payload check"
"""The difference that sanitize-payload makes."""
_ALL = "*"


@dataclass(frozen=True)
class Reach:
    """What may be done by one selector: every set is empty where nothing is allowed.

    ``future`` is whether commands are allowed that nobody knows yet (``+@all`` was the last of its kind).
    """

    keys: frozenset[tuple[str, str]] = frozenset()
    channels: frozenset[str] = frozenset()
    databases: frozenset[str] = frozenset()
    future: bool = False
    commands: frozenset[str] = frozenset()
    known: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def allows(self, command: str) -> bool:
        """Say whether a command may be sent, ``config|rewrite`` also where a version knows the whole command alone.

        A command with subcommands may be sent where each of these may.
        """
        if parts := [each for each in self.known if each.startswith(f"{command}|")]:
            return self.commands.issuperset(parts)
        for name in (command, command.partition("|")[0]):
            if name in self.commands or f"+{name}" in self.commands:
                return True
            if name in self.known or f"-{name}" in self.commands:
                return False
        return self.future


@dataclass(frozen=True)
class Meaning:
    """One user: ``hashes`` are SHA-256 of passwords, or digests of these; ``root`` is what stands outside selectors."""

    on: bool = False
    nopass: bool = False
    trusting: bool = False
    hashes: frozenset[str] = frozenset()
    root: Reach = field(default_factory=Reach)
    selectors: frozenset[Reach] = frozenset()


def meaning(rules: Iterable[str], categories: Categories, *, channels: bool) -> Meaning:
    """Follow the rules of a new user; ``channels``: it begins with every channel (acl-pubsub-default)."""
    reading = _Reading(categories, channels=channels)
    for _, rule in joined(tuple(rules)):
        reading.take(rule)
    return reading.meaning()


def differences(wanted: Meaning, found: Meaning) -> tuple[str, ...]:
    """Say what differs, in words: nothing where both come to the same. ``found`` has digests of hashes."""
    words = {
        "on or off": wanted.on == found.on,
        "password": wanted.nopass == found.nopass and _same_passwords(wanted.hashes, found.hashes),
        PAYLOAD: wanted.trusting == found.trusting,
        "keys": wanted.root.keys == found.root.keys,
        "channels": wanted.root.channels == found.root.channels,
        "databases": wanted.root.databases == found.root.databases,
        "commands": (wanted.root.future, wanted.root.commands) == (found.root.future, found.root.commands),
        "selectors": wanted.selectors == found.selectors,
    }
    return tuple(word for word, same in words.items() if not same)


def _same_passwords(wanted: frozenset[str], found: frozenset[str]) -> bool:
    return len(wanted) == len(found) and all(any(matches(each, one) for each in found) for one in wanted)


class _Commands:
    """Which commands are allowed so far."""

    def __init__(self, categories: Categories) -> None:
        self._categories = {name.lower(): frozenset(map(str.lower, each)) for name, each in categories.items()}
        self.known = frozenset[str]().union(*self._categories.values())
        self._parts: dict[str, set[str]] = {}
        for name in self.known:
            if "|" in name:
                self._parts.setdefault(name.partition("|")[0], set()).add(name)
        # A command with subcommands is allowed when these are.
        self.known -= self._parts.keys()
        self.future = False
        self._allowed: set[str] = set()
        self._said: dict[str, bool] = {}

    def take(self, word: str) -> None:
        allow, name = word[0] == "+", word[1:]
        if name == "@all":
            self.future, self._said = allow, {}
            self._allowed = set(self.known) if allow else set()
        elif name.startswith("@") and name[1:] in self._categories:
            self._change(self._categories[name[1:]] & self.known, allow=allow)
        elif name in self._parts:
            self._change(self._parts[name], allow=allow)
        elif name in self.known:
            self._change({name}, allow=allow)
            # What was said of its first argument alone says nothing any more.
            self._said = {each: said for each, said in self._said.items() if each.partition("|")[0] != name}
        elif self.known and "|" in name and name.partition("|")[0] in self._allowed:
            return
        else:
            self._said.pop(name, None)
            self._said[name] = allow

    def _change(self, names: Iterable[str], *, allow: bool) -> None:
        self._allowed = self._allowed.union(names) if allow else self._allowed.difference(names)

    def all(self) -> frozenset[str]:
        # Of what no category has, what is as everything else is needs no word.
        said = (f"{'+' if allow else '-'}{name}" for name, allow in self._said.items() if allow != self.future)
        return frozenset(self._allowed).union(said)


class _Reading:
    """One user, or one selector of it, while its rules are read."""

    def __init__(self, categories: Categories, *, channels: bool, inside: bool = False) -> None:
        self._categories = categories
        self._every_channel = channels
        self._inside = inside
        self._on = self._nopass = self._trusting = False
        self._hashes: set[str] = set()
        self._selectors: list[Reach] = []
        self._nothing()

    def _nothing(self) -> None:
        self._keys: set[tuple[str, str]] = set()
        self._channels = {_ALL} if self._every_channel and not self._inside else set[str]()
        self._databases = {_ALL}
        self._commands = _Commands(self._categories)

    def meaning(self) -> Meaning:
        return Meaning(
            self._on,
            self._nopass,
            self._trusting,
            frozenset(self._hashes),
            self.reach(),
            frozenset(each for each in self._selectors if each != Reach(databases=frozenset({_ALL}))),
        )

    def reach(self) -> Reach:
        every = {(mode, _ALL) for mode, pattern in self._keys if pattern == _ALL}
        keys = {key for key in self._keys if (key[0], _ALL) not in every or key[1] == _ALL}
        channels = {_ALL} if _ALL in self._channels else self._channels
        return Reach(
            frozenset(keys),
            frozenset(channels),
            frozenset(self._databases),
            self._commands.future,
            self._commands.all(),
            self._commands.known,
        )

    def take(self, rule: str) -> None:
        word = rule.lower()
        if rule.startswith("("):
            inside = _Reading(self._categories, channels=False, inside=True)
            for each in rule[1:].removesuffix(")").split():
                inside.take(each)
            self._selectors.append(inside.reach())
        elif rule[:1] in (">", "<", "#", "!"):
            self._password(rule)
        elif rule[:1] in ("~", "%"):
            self._key(rule)
        elif rule[:1] == "&":
            self._channels.add(rule[1:])
        elif rule[:1] in ("+", "-"):
            self._commands.take(word)
        elif word.startswith("db="):
            self._databases = (self._databases - {_ALL}) | set(word[3:].split(","))
        else:
            self._word(word)

    def _password(self, rule: str) -> None:
        given, hashed = rule[0] in (">", GIVEN), rule[0] in ("#", "!")
        secret = rule[1:] if hashed else password_hash(rule[1:])
        if given:
            self._hashes.add(secret)
            self._nopass = False
        else:
            self._hashes.discard(secret)

    def _key(self, rule: str) -> None:
        modes, pattern = rule[1:].split("~", 1) if rule[0] == "%" else ("rw", rule[1:])
        self._keys |= {(mode, pattern) for mode in modes.lower()}

    def _word(self, word: str) -> None:
        if word in ("on", "off"):
            self._on = word == "on"
        elif word in ("nopass", "resetpass"):
            self._nopass, self._hashes = word == "nopass", set()
        elif word in ("skip-sanitize-payload", "sanitize-payload"):
            self._trusting = word.startswith("skip")
        elif word in ("allkeys", "resetkeys"):
            self._keys = {("r", _ALL), ("w", _ALL)} if word == "allkeys" else set()
        elif word in ("allchannels", "resetchannels"):
            self._channels = {_ALL} if word == "allchannels" else set()
        elif word in ("alldbs", "resetdbs"):
            self._databases = {_ALL} if word == "alldbs" else set()
        elif word in ("allcommands", "nocommands"):
            self._commands.take("+@all" if word == "allcommands" else "-@all")
        elif word == "clearselectors":
            self._selectors = []
        elif word == "reset":
            self._on = self._nopass = self._trusting = False
            self._hashes, self._selectors = set(), []
            self._nothing()
