"""ACL lines: which words of them are secrets, and what a line for the user ``default`` amounts to.

The rules are those of acl.c (ACLSetUser); such a line overrides ``requirepass`` (measured on 6.0 to 8.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.adoption.texts import Hidden, Text, joined
from redis_fleet.agent.conf.text import quote
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue.acl import login, password_hash
from redis_fleet.model import Words
from redis_fleet.problems import Position

_BEFORE_SECRETS = "><#!"
_EVERYTHING = {"~*", "allkeys", "%rw~*", "%wr~*"}
# Words that leave a fresh user as it is, or say what is so anyway.
_WITHOUT_EFFECT = {"sanitize-payload", "clearselectors", "alldbs", "resetkeys", "resetchannels"}
# What catalogue/acl.py follows.
_OF_LOGIN = {"on", "off", "nopass", "resetpass"}


@dataclass(frozen=True)
class DefaultUser:
    """What a line for the user ``default`` leaves of it.

    ``whole``: it is on and may do everything. ``open``: it needs no password. ``hashes``: SHA-256 of its passwords.
    """

    whole: bool
    open: bool
    hashes: frozenset[str]


def default_user(rules: Words, *, old: bool) -> DefaultUser:
    """Follow the rules behind ``user default``; ``old``: it may have been written by a version without channels."""
    user = login(rules)
    keys, channels, commands, odd = False, False, False, False
    for rule in rules:
        word = rule.lower()
        if word == "reset":
            keys = channels = commands = odd = False
        elif word in _OF_LOGIN or rule.startswith(tuple(_BEFORE_SECRETS)):
            continue
        elif word in _EVERYTHING | {"resetkeys"}:
            keys = word != "resetkeys"
        elif word in ("&*", "allchannels", "resetchannels"):
            channels = word != "resetchannels"
        elif word in ("+@all", "allcommands", "-@all", "nocommands"):
            commands = word in ("+@all", "allcommands")
        elif word not in _WITHOUT_EFFECT:
            odd = True
    named = any(rule.startswith("&") or rule.lower() in ("allchannels", "resetchannels") for rule in rules)
    whole = user.on and keys and commands and (channels or (old and not named)) and not odd
    return DefaultUser(whole, user.nopass, user.hashes)


def hidden(words: Words, position: Position) -> Text:
    """Return a user line as a text; its passwords and hashes are secrets.

    A password that has to be quoted becomes its hash: quotes around what a reference stands for would not hold.
    """
    user, *rules = words
    parts: list[list[str | Hidden]] = [[quote(user)]]
    for rule in rules:
        if rule[:1] not in _BEFORE_SECRETS or not rule[1:]:
            parts.append([quote(rule)])
            continue
        sign, value = rule[0], rule[1:]
        made = sign in "><" and quote(value) != value
        if made:
            sign, value = {">": "#", "<": "!"}[sign], password_hash(value)
        kind = "password" if made or sign in "><" else "hash"
        parts.append([sign, Hidden(kind, Secret(value), position, user, made)])
    return joined(parts)
