"""How the password of a server is changed: the new one beside the old one, then the old one goes; and it is proved."""

from __future__ import annotations

from typing import NamedTuple

from ..access import connect as connect_by
from ..login import accepts_unauthenticated, default_user, filed, with_password
from ..messages.process import ManagedProcess
from ..protocol.resp import Connection, ReplyError, pairs


class Outcome(NamedTuple):
    """What one order did: the names of what is now different, and why nothing was done where that needs a word."""

    changed: tuple[str, ...] = ()
    note: str = ""


def add_password(process: ManagedProcess, connection: Connection, way: str) -> Outcome:
    """Make a server take the request's password beside its present one, so that clients can change one by one.

    ``way`` is what ``connect`` said. ``CONFIG GET requirepass`` and the file go on having the old one alone.
    """
    if way == "none":
        return Outcome(note="it needs no password, so every client gets in already")
    if way == "described":
        return Outcome(note="it takes this password already" if process.password else "no password is described")
    try:
        connection.call("ACL", "SETUSER", "default", ">" + process.password)
    except ReplyError as error:
        if not str(error).lower().startswith("err unknown command"):
            raise
        return Outcome(note="this version has no ACL, so it cannot take two passwords")
    return Outcome(("password",))


def end_password(process: ManagedProcess, connection: Connection) -> Outcome:
    """Make the request's password the only one, and prove it on fresh connections.

    Raises ReplyError when the server does not take it, RuntimeError when it lets in whom it should not or the other
    way round. ``user default`` is written by the server itself at the next CONFIG REWRITE; where users have a file of
    their own, only ACL SAVE writes it.
    """
    new = process.password
    old = {*filed(process), pairs(connection.call("CONFIG", "GET", "requirepass")).get("requirepass", "")} - {"", new}
    before = _doors(connection)
    connection.call("CONFIG", "SET", "requirepass", new)
    row = default_user(connection)
    if row is not None and len(row.get("passwords", [])) != bool(new):
        # Redis >= 7 does nothing at all where the directive has this value already, whatever else the user takes.
        connection.call("ACL", "SETUSER", "default", *(["resetpass", ">" + new] if new else ["nopass"]))
    if pairs(connection.call("CONFIG", "GET", "aclfile")).get("aclfile"):
        connection.call("ACL", "SAVE")
    _prove(process, new, old)
    return Outcome(("password",)) if _doors(connection) != before else Outcome()


def _doors(connection: Connection) -> object:
    """Return the passwords of the default user (hashes, in any order) and whether it needs one."""
    row = default_user(connection)
    if row is None:
        return connection.call("CONFIG", "GET", "requirepass")
    return sorted(row.get("passwords", [])), "nopass" in row.get("flags", [])


def _prove(process: ManagedProcess, new: str, old: set[str]) -> None:
    name = process.name
    if accepts_unauthenticated(process) == bool(new):
        raise RuntimeError(f"{name} {'answers without a password' if new else 'still wants a password'}")
    if not new:
        return
    try:
        connect_by(with_password(process.access, new)).close()
    except ReplyError as error:
        raise RuntimeError(f"{name} does not take the new password: {error}") from None
    for password in old:
        try:
            connect_by(with_password(process.access, password)).close()
        except ReplyError:
            continue
        raise RuntimeError(f"{name} still takes the previous password")
