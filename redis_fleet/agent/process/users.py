"""Users of a running process: given, taken away, disconnected, and the default user closed; each may be done twice."""

from __future__ import annotations

import time
from collections import Counter

from ..access import connect as connect_by
from ..errors import NotReadyError
from ..inspect.users import kind_of, read_clients
from ..login import accepts_unauthenticated, filed, with_password
from ..messages.orders import CloseDefault, DeleteUser, Disconnect, SetUser, clear
from ..messages.process import ManagedProcess
from ..protocol.resp import Connection, ReplyError, pairs
from .passwords import Outcome

_PAUSE = 0.05
_BACK_WITHIN = 15.0
"""Seconds: a Sentinel connects anew each second, a replica at once or each second."""


def set_user(connection: Connection, order: SetUser) -> Outcome:
    """Give a user all of these rules, or none."""
    before = connection.call("ACL", "GETUSER", order.user)
    connection.call("ACL", "SETUSER", order.user, *map(clear, order.rules))
    changed = connection.call("ACL", "GETUSER", order.user) != before
    return Outcome((f"user {order.user}",) if changed else ())


def delete_user(connection: Connection, order: DeleteUser) -> Outcome:
    """Take a user away."""
    return Outcome((f"user {order.user}",) if connection.call("ACL", "DELUSER", order.user) else ())


def close_default(process: ManagedProcess, connection: Connection, way: str, order: CloseDefault) -> Outcome:
    """Leave the default user no more than the rules say, prove it, and disconnect whoever is logged in as it.

    Raises NotReadyError where redis-fleet itself came in as it: nobody would get in any more.
    """
    if way != "own":
        raise NotReadyError(
            f"{process.name} does not let redis-fleet in but as the default user, which is to be closed"
        )
    old = {*filed(process), *_given(connection)} - {""}
    before = connection.call("ACL", "GETUSER", "default")
    rules = ("reset", *order.rules)
    # While it is on, an empty requirepass would open the server; afterwards it makes the user one without a password.
    connection.call("ACL", "SETUSER", "default", *rules)
    if not process.kind.monitors:
        connection.call("CONFIG", "SET", "requirepass", "")
        connection.call("ACL", "SETUSER", "default", *rules)
    _prove_closed(process, old)
    changed = connection.call("ACL", "GETUSER", "default") != before
    left = disconnect(connection, Disconnect(("default",)))
    return Outcome((("user default",) if changed else ()) + left.changed)


def _given(connection: Connection) -> list[str]:
    try:
        return [pairs(connection.call("CONFIG", "GET", "requirepass")).get("requirepass", "")]
    except ReplyError:
        return []


def _prove_closed(process: ManagedProcess, old: set[str]) -> None:
    if accepts_unauthenticated(process):
        raise RuntimeError(f"{process.name} answers without a password")
    for password in old:
        try:
            with connect_by(with_password(process.access, password)) as connection:
                connection.call("ROLE")
        except ReplyError:
            continue
        raise RuntimeError(f"{process.name} still takes the default user's password")


def disconnect(connection: Connection, order: Disconnect) -> Outcome:
    """Disconnect whoever is connected as one of these users, and wait for replicas and Sentinels to be back.

    Raises RuntimeError when they are not in time.
    """
    mine = str(connection.call("CLIENT", "ID"))
    rows = [row for row in read_clients(str(connection.call("CLIENT", "LIST"))) if row.get("id") != mine]
    linked = Counter(kind_of(row) for row in rows)
    left = [row for row in rows if row.get("user") in order.users and order.kind in ("", kind_of(row))]
    gone = [row for row in left if connection.call("CLIENT", "KILL", "ID", row["id"])]
    kinds = {kind_of(row) for row in gone} - {"client"}
    deadline = time.monotonic() + _BACK_WITHIN
    while lacking := [kind for kind in kinds if _linked(connection, mine, kind) < linked[kind]]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"a {lacking[0]} that was disconnected is not back within {_BACK_WITHIN:g} s")
        time.sleep(_PAUSE)
    users = Counter(row["user"] for row in gone)
    return Outcome(tuple(f"{count} connections of {user}" for user, count in sorted(users.items())))


def _linked(connection: Connection, mine: str, kind: str) -> int:
    rows = read_clients(str(connection.call("CLIENT", "LIST")))
    return sum(kind_of(row) == kind for row in rows if row.get("id") != mine)
