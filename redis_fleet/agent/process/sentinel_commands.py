"""What a Sentinel is told: commands that may be given twice, and to forget what is gone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..errors import NotReadyError
from ..login import Outcome, secret_words
from ..protocol.resp import Connection, ReplyError, pairs
from ..secret import MASK

Answer = dict[str, Any]
_PAUSE = 0.1
_TROUBLED = {"s_down", "o_down", "disconnected", "failover_in_progress", "master_down"}


def told(words: Sequence[object]) -> str:
    """Return a command with its secrets masked."""
    secrets = secret_words(words)
    return " ".join(MASK if str(word).lstrip("><#!") in secrets else str(word) for word in words)


def command(connection: Connection, words: Sequence[object]) -> Outcome:
    """Send a command; MONITOR of what is watched there already, and REMOVE of what is not, are done already."""
    verb = [str(word).upper() for word in words[:2]]
    if verb == ["SENTINEL", "MONITOR"] and len(words) > 4:
        view = watched(connection, str(words[2]))
        if view and (view["ip"], view["port"]) == (str(words[3]), str(words[4])):
            return Outcome(note=f"it watches {words[2]} there already")
    if verb == ["SENTINEL", "REMOVE"] and watched(connection, str(words[2])) is None:
        return Outcome(note=f"it does not watch {words[2]}")
    connection.call(*words)
    return Outcome((told(words),))


def watched(connection: Connection, name: str) -> dict[str, str] | None:
    """Return SENTINEL MASTER, None when there is no master of that name."""
    try:
        return pairs(connection.call("SENTINEL", "MASTER", name))
    except ReplyError as error:
        if "No such master" in str(error):
            return None
        raise


def forget(connection: Connection, order: Answer) -> Outcome:
    """Have a Sentinel forget what it knows of ``master`` and wait until it has found everything anew.

    That is exactly so many ``replicas`` and other ``sentinels``, all in contact, and a quorum, in ``seconds``. Nothing
    is done where it is so already. Raises NotReadyError when the master is not there to be asked (it would not find its
    replicas again), RuntimeError when the time is up.
    """
    name = order["master"]
    if not _lacks(connection, order):
        return Outcome(note=f"it knows exactly what there is of {name}")
    view = watched(connection, name)
    flags = set(view["flags"].split(",")) if view else {"unknown"}
    if flags != {"master"}:
        raise NotReadyError(f"{name} is {','.join(sorted(flags))} to this Sentinel, so it cannot be told to forget")
    connection.call("SENTINEL", "RESET", name)
    deadline = time.monotonic() + float(order["seconds"])
    while True:
        missing = _lacks(connection, order)
        if not missing:
            return Outcome((f"SENTINEL RESET {name}",))
        if time.monotonic() > deadline:
            raise RuntimeError(f"{missing}, {order['seconds']:g} s after SENTINEL RESET {name}")
        time.sleep(_PAUSE)


def _lacks(connection: Connection, order: Answer) -> str:
    """Say what a Sentinel's knowledge lacks, or has too much; empty when it is just so."""
    name = order["master"]
    view = watched(connection, name)
    if view is None or _TROUBLED & set(view["flags"].split(",")):
        return f"{name} is {view['flags'] if view else 'not watched'}"
    for what in ("replicas", "sentinels"):
        rows = [pairs(each) for each in connection.call("SENTINEL", what.upper(), name)]
        sound = [row for row in rows if not _TROUBLED & set(row["flags"].split(","))]
        if len(rows) != order[what] or len(sound) != order[what]:
            return f"it knows {len(rows)} {what} of {name}, {len(sound)} of them in contact, not {order[what]}"
    try:
        connection.call("SENTINEL", "CKQUORUM", name)
    except ReplyError as error:
        return str(error)
    return ""
