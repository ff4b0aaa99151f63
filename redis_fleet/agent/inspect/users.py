"""The users of a process, as it says itself; passwords come back as digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..conf.acl_words import sealed_rules
from ..messages.observation import ProcessFacts
from ..protocol.resp import Connection, ReplyError

_EVERYTHING = {"~*", "&*", "+@all", "alldbs"}
"""What a default user has that nobody touched, in one version or another."""


def with_users(found: ProcessFacts, connection: Connection) -> ProcessFacts:
    """Return the facts with ACL LIST, and with what is in each category of commands where any rule needs it.

    Left as they are where there is no ACL (a Sentinel before 6.2), or where this user may not ask.
    """
    try:
        lines = [str(line).split() for line in connection.call("ACL", "LIST")]
        users = tuple((name, *sealed_rules(rules)) for _, name, *rules in lines)
        if all(_untouched(user) for user in users):
            return replace(found, users=users)
        names = [str(name) for name in connection.call("ACL", "CAT")]
    except ReplyError:
        return found
    replies = connection.pipeline([("ACL", "CAT", name) for name in names])
    listed = {name: reply for name, reply in zip(names, replies) if isinstance(reply, list)}
    return replace(found, users=users, categories={name: tuple(map(str, reply)) for name, reply in listed.items()})


def _untouched(user: tuple[str, ...]) -> bool:
    return user[0] == "default" and "on" in user and {word for word in user if word[0] in "~&+-(%"} <= _EVERYTHING


def links_of(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Return who is connected as which user, each pair once; nothing where a process does not say (Sentinel 6.0)."""
    try:
        mine, rows = connection.calls(("CLIENT", "ID"), ("CLIENT", "LIST"))
    except ReplyError:
        return ()
    clients = [row for row in read_clients(str(rows)) if row.get("id") != str(mine)]
    return tuple(sorted({(kind_of(row), row.get("user", "")) for row in clients}))


def read_clients(text: str) -> Iterator[dict[str, str]]:
    """Yield the rows of CLIENT LIST."""
    for line in text.splitlines():
        yield dict(word.partition("=")[::2] for word in line.split(" "))


def kind_of(row: Mapping[str, str]) -> str:
    """Say what a client is: a ``replica``, a ``sentinel``, or some other ``client``."""
    if "S" in row.get("flags", ""):
        return "replica"
    return "sentinel" if row.get("name", "").startswith("sentinel-") else "client"
