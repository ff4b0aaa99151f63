"""What a Sentinel is told: commands that may be given twice, and to forget what is gone."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .. import engine_words
from ..errors import NotReadyError
from ..login import secret_words
from ..messages.orders import Forget, Value, clear
from ..protocol.resp import Connection, ReplyError, pairs
from ..secret import MASK, Secret
from .passwords import Outcome

_PAUSE = 0.1
_TROUBLED = engine_words.UNREACHED.union(engine_words.FAILING_OVER, {"master_down"})


def told(words: Sequence[Value]) -> str:
    """Return a command with its secrets masked."""
    texts = list(map(clear, words))
    secrets = secret_words(texts)
    hidden = [isinstance(word, Secret) or text.lstrip("><#!") in secrets for word, text in zip(words, texts)]
    return " ".join(MASK if hide else text for hide, text in zip(hidden, texts))


def command(connection: Connection, given: Sequence[Value]) -> Outcome:
    """Send a command; MONITOR of what is watched there already, and REMOVE of what is not, are done already."""
    words = list(map(clear, given))
    verb = [word.upper() for word in words[:2]]
    if verb == ["SENTINEL", "MONITOR"] and len(words) > 4:
        view = watched(connection, words[2])
        if view and (view["ip"], view["port"]) == (words[3], words[4]):
            return Outcome(note=f"it watches {words[2]} there already")
    if verb == ["SENTINEL", "REMOVE"] and watched(connection, words[2]) is None:
        return Outcome(note=f"it does not watch {words[2]}")
    connection.call(*words)
    return Outcome((told(given),))


def watched(connection: Connection, name: str) -> dict[str, str] | None:
    """Return SENTINEL MASTER, None when there is no master of that name."""
    try:
        return pairs(connection.call("SENTINEL", "MASTER", name))
    except ReplyError as error:
        if "No such master" in str(error):
            return None
        raise


def forget(connection: Connection, order: Forget) -> Outcome:
    """Have a Sentinel forget what it knows of a master and wait until it has found everything anew.

    That is exactly so many replicas and other Sentinels, all in contact, and a quorum. Nothing is done where it is so
    already. Raises NotReadyError when the master is not there to be asked (it would not find its
    replicas again), RuntimeError when the time is up.
    """
    name = order.master
    if not _lacks(connection, order):
        return Outcome(note=f"it knows exactly what there is of {name}")
    view = watched(connection, name)
    flags = set(view["flags"].split(",")) if view else {"unknown"}
    if flags != {"master"}:
        raise NotReadyError(f"{name} is {','.join(sorted(flags))} to this Sentinel, so it cannot be told to forget")
    connection.call("SENTINEL", "RESET", name)
    deadline = time.monotonic() + order.seconds
    while True:
        missing = _lacks(connection, order)
        if not missing:
            return Outcome((f"SENTINEL RESET {name}",))
        if time.monotonic() > deadline:
            raise RuntimeError(f"{missing}, {order.seconds:g} s after SENTINEL RESET {name}")
        time.sleep(_PAUSE)


def _lacks(connection: Connection, order: Forget) -> str:
    """Say what a Sentinel's knowledge lacks, or has too much; empty when it is just so."""
    name = order.master
    view = watched(connection, name)
    if view is None or _TROUBLED & engine_words.flags(view["flags"]):
        return f"{name} is {view['flags'] if view else 'not watched'}"
    for what, wanted in (("replicas", order.replicas), ("sentinels", order.sentinels)):
        rows = [pairs(each) for each in connection.call("SENTINEL", what.upper(), name)]
        sound = [row for row in rows if not _TROUBLED & engine_words.flags(row["flags"])]
        if len(rows) != wanted or len(sound) != wanted:
            return f"it knows {len(rows)} {what} of {name}, {len(sound)} of them in contact, not {wanted}"
    try:
        connection.call("SENTINEL", "CKQUORUM", name)
    except ReplyError as error:
        return str(error)
    return ""
