"""Append-only file on and off in a running server, with no key lost: the other kind of copy is complete first.

A server that starts with ``appendonly yes`` reads nothing but the append-only file, even when there is none; one that
starts with ``no`` reads nothing but dump.rdb. So the file of the process may say so only when that copy is whole.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Callable

from ..conf.text import split
from ..protocol.resp import Connection, ReplyError, info, pairs
from .passwords import Outcome

_PAUSE = 0.05
# What BGSAVE says while another copy is being made; the words differ from version to version.
_BUSY = ("progress", "child process")


def append_only(connection: Connection, value: str, seconds: float) -> Outcome:
    """Turn the append-only file on (``yes``) or off (``no``) and have CONFIG REWRITE keep it.

    ``seconds`` bounds the making of the copy. What fails is put back; raises RuntimeError or ReplyError then.
    """
    was = _config(connection, "appendonly")
    _on(connection, was, seconds) if value == "yes" else _off(connection, was, seconds)
    return Outcome(("appendonly",)) if was != value else Outcome()


def _on(connection: Connection, was: str, seconds: float) -> None:
    failed_before = _persistence(connection).get("aof_last_bgrewrite_status") != "ok"
    if was != "yes":
        connection.call("CONFIG", "SET", "appendonly", "yes")

    def done() -> bool:
        seen = _persistence(connection)
        failed = seen.get("aof_last_bgrewrite_status") != "ok"
        if failed and not failed_before:
            raise RuntimeError("writing the append-only file failed, its log says why")
        busy = [seen.get(name) != "0" for name in ("aof_rewrite_in_progress", "aof_rewrite_scheduled")]
        return not failed and not any(busy) and seen.get("aof_enabled") == "1" and _is_whole(connection)

    try:
        # Also where it is on already: a run that was killed may have left it half written.
        _wait(done, seconds, "the append-only file is not complete")
        connection.call("CONFIG", "REWRITE")
    except (RuntimeError, ReplyError) as error:
        if was == "yes":
            raise
        raise RuntimeError(f"{error}; {_put_back(connection, 'no')}") from None


def _off(connection: Connection, was: str, seconds: float) -> None:
    if was == "no":
        return
    _save(connection, seconds)
    connection.call("CONFIG", "SET", "appendonly", "no")
    try:
        # At once: until its file says so too, a crash would bring back what the append-only file had up to here.
        connection.call("CONFIG", "REWRITE")
    except ReplyError as error:
        raise RuntimeError(f"{error}; {_put_back(connection, 'yes')}") from None


def _put_back(connection: Connection, value: str) -> str:
    try:
        connection.call("CONFIG", "SET", "appendonly", value)
    except (OSError, ReplyError) as error:
        return f"appendonly could not be put back to {value}: {error}"
    return f"appendonly is {value} again"


def _save(connection: Connection, seconds: float) -> None:
    """Have dump.rdb written with everything that is there now."""
    deadline = time.monotonic() + seconds
    began = int(connection.call("TIME")[0])
    _wait(lambda: _started(connection), seconds, "another copy is being made")
    left = max(deadline - time.monotonic(), _PAUSE)
    _wait(lambda: _persistence(connection)["rdb_bgsave_in_progress"] == "0", left, "the save has not ended")
    # Its clock of seconds may be a tick behind the one of TIME.
    saved = int(connection.call("LASTSAVE")) >= began - 1
    if _persistence(connection).get("rdb_last_bgsave_status") != "ok" or not saved:
        raise RuntimeError("saving dump.rdb failed, its log says why; the append-only file stays on")


def _started(connection: Connection) -> bool:
    """Start a save; false while another copy is under way, which may have begun before the last writes."""
    try:
        connection.call("BGSAVE")
    except ReplyError as error:
        if any(word in str(error).lower() for word in _BUSY):
            return False
        raise
    return True


def _wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} after {seconds:g} s")
        time.sleep(_PAUSE)


def _persistence(connection: Connection) -> dict[str, str]:
    return info(connection.call("INFO", "persistence"))


def _config(connection: Connection, name: str) -> str:
    return pairs(connection.call("CONFIG", "GET", name)).get(name, "")


def _is_whole(connection: Connection) -> bool:
    """Say whether the append-only file is on disk: since 7.0 a list of files, the manifest, and all that it names."""
    folder, name = Path(_config(connection, "dir")), _config(connection, "appendfilename")
    inner = _config(connection, "appenddirname")
    if not inner:
        return (folder / name).is_file()
    try:
        rows = [split(line) for line in (folder / inner / f"{name}.manifest").read_text("utf-8").splitlines()]
    except (OSError, ValueError):
        return False
    named = [row[row.index("file") + 1] for row in rows if "file" in row]
    return bool(named) and all((folder / inner / each).is_file() for each in named)
