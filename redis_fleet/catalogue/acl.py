"""ACL rules as acl.c reads them (ACLSetUser, ACLSetSelector), but for the names of commands and categories.

Those are the server's and its modules' own: what no module brings, only the binary itself can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from redis_fleet.agent.host.digest import sha256

_HASH = re.compile(r"[0-9a-f]{64}\Z")
_COMMAND = re.compile(r"[+-](@?)[^\s|@()]+(\|[^\s|()]+)?\Z")
_KEYS = re.compile(r"(%(?:r|w|rw|wr))?~\S*\Z", re.IGNORECASE)
_CHANNEL = re.compile(r"&\S*\Z")
_ON_USERS = frozenset({"on", "off", "nopass", "resetpass", "reset", "clearselectors"})
_PAYLOAD = frozenset({"sanitize-payload", "skip-sanitize-payload"})
_ANYWHERE = frozenset({"allkeys", "resetkeys", "allcommands", "nocommands"})


class Login(NamedTuple):
    """How somebody becomes a user: ``on``, without a password (``nopass``), ``hashes`` (SHA-256) of its passwords."""

    on: bool
    nopass: bool
    hashes: frozenset[str]


def login(rules: Iterable[str]) -> Login:
    """Follow the rules of a new user, which is off and has no password."""
    on = nopass = False
    hashes: set[str] = set()
    for rule in rules:
        word = rule.lower()
        if word in ("on", "off"):
            on = word == "on"
        elif word in ("nopass", "resetpass", "reset"):
            on = on and word != "reset"
            nopass, hashes = word == "nopass", set()
        elif rule[:1] in (">", "#"):
            nopass = False
            hashes.add(rule[1:] if rule[0] == "#" else password_hash(rule[1:]))
        elif rule[:1] in ("<", "!"):
            hashes.discard(rule[1:] if rule[0] == "!" else password_hash(rule[1:]))
    return Login(on, nopass, frozenset(hashes))


def may(rules: Iterable[str], command: str) -> bool:
    """Say whether a user may send a command, or one of its subcommands (``config|rewrite``).

    Which commands a category has is the server's own: one that is granted is taken to have it, one that is denied not.
    """
    whole = command.partition("|")[0]
    allowed = False
    for rule in map(str.lower, rules):
        if rule.startswith("+@") or rule in ("allcommands", f"+{whole}", f"+{command}"):
            allowed = True
        elif rule in ("nocommands", "-@all", "reset", f"-{whole}", f"-{command}"):
            allowed = False
    return allowed


def password_hash(text: str) -> str:
    """Return what an ACL line has behind ``#`` for a password."""
    return sha256(text.encode("utf-8", "surrogateescape"))


def hashed(rule: str) -> str:
    """Return a rule with the hash of a password in its place: ``#…`` for ``>…``, ``!…`` for ``<…``."""
    signs = {">": "#", "<": "!"}
    return signs[rule[0]] + password_hash(rule[1:]) if rule[:1] in signs else rule


def unreadable(version: str, rules: tuple[str, ...]) -> int | None:
    """Return the place (from 1) of the first rule that a version of the table (``redis-7.0.15``) cannot read, if any.

    What a version is too old for is left to rule E15, which says so.
    """
    reader = _Reader(version)
    return next((number for number, rule in joined(rules) if not reader.takes(rule)), None)


def joined(rules: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield rules with their places; the words of a selector are one rule (ACLMergeSelectorArguments)."""
    open_: list[str] = []
    for number, rule in enumerate(rules, start=1):
        if open_ or rule.startswith("("):
            open_.append(rule)
            if not rule.endswith(")"):
                continue
            rule = " ".join(open_)  # noqa: PLW2901
            open_ = []
        yield number, rule
    if open_:
        yield len(rules), " ".join(open_)


class _Reader:
    """What one user has so far: some rules are wrong only after others."""

    def __init__(self, version: str) -> None:
        self._old = version.startswith("redis-6.0")
        self._no_part_denied = version.startswith("redis-6.")
        self._passwords: set[str] = set()
        self._every_key = False
        # 6.2 gives each new user every channel, unless acl-pubsub-default says otherwise.
        self._every_channel = version.startswith("redis-6.2")

    def takes(self, rule: str) -> bool:
        """Say whether a rule can be read after those before it."""
        word = rule.lower()
        if word in _ON_USERS:
            return self._sets(word)
        if word in _PAYLOAD:
            return not self._old
        if rule[:1] and rule[0] in "><#!":
            return self._password(rule)
        if rule.startswith("("):
            inside = _Reader("")
            return rule.endswith(")") and all(inside.selects(each) for each in rule[1:-1].split())
        return not rule or self.selects(rule)

    def _sets(self, word: str) -> bool:
        if word in ("nopass", "resetpass", "reset"):
            self._passwords.clear()
        if word == "reset":
            self._every_key = self._every_channel = False
        return True

    def _password(self, rule: str) -> bool:
        sign, secret = rule[0], rule[1:]
        if sign in "#!" and not _HASH.match(secret):
            return False
        key = ("#" if sign in "#!" else ">") + secret
        if sign in ">#":
            self._passwords.add(key)
            return True
        known = key in self._passwords
        self._passwords.discard(key)
        return known

    def selects(self, rule: str) -> bool:
        """Say whether a rule about commands, keys and channels can be read."""
        word = rule.lower()
        if word in ("allkeys", "~*"):
            self._every_key = True
        elif word == "resetkeys":
            self._every_key = False
        elif word in ("allchannels", "&*"):
            self._every_channel = True
        elif word == "resetchannels":
            self._every_channel = False
        elif _KEYS.match(rule):
            return not self._every_key
        elif _CHANNEL.match(rule):
            return not self._every_channel
        elif word not in _ANYWHERE:
            part_denied = rule.startswith("-") and "|" in rule
            return bool(_COMMAND.match(rule)) and not (part_denied and self._no_part_denied)
        return True
