"""A journal of runs: one JSON object a line, appended whole, bounded in size. On each machine, and with the controller.

An entry has ``event`` (``begin`` or ``end``), ``run`` (the run's id) and ``time`` (UTC, of the clock of whoever writes
it). What else is in it is the caller's: nothing secret.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
LIMIT = 1024 * 1024
"""Bytes; a longer journal becomes ``.1``, in the place of the one before."""
WITHDRAWN = "withdrawn"
"""The result of a run that gave the lock back before its first change."""
_PATIENCE = 10.0
_PAUSE = 0.02


def now() -> str:
    """Return the time of day in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@contextmanager
def guarded(path: str) -> Iterator[None]:
    """Keep all others away from a file meanwhile; the kernel lets go when this process ends, however it ends.

    It is held for moments only. Raises TimeoutError after 10 s, OSError when nothing can be written there.
    """
    guard = os.open(path + ".guard", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _PATIENCE
    try:
        while True:
            try:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{path} has been busy for {_PATIENCE:.0f} s") from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(guard)


def note(path: str, entry: Entry, mode: int = 0o640, limit: int = LIMIT) -> None:
    """Append an entry with the time of day in one write; the folder is made when missing. Raises OSError."""
    line = json.dumps({"time": now(), **entry}).encode() + b"\n"
    Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _rotate(path, limit)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, mode)
    try:
        size = os.fstat(file).st_size
        # A line that a crash or a full disk cut off must not swallow this one.
        cut = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        data = b"\n" + line if cut else line
        if os.write(file, data) != len(data):
            raise OSError(f"{path} could not be written whole: is the disk full?")
    finally:
        os.close(file)


def _rotate(path: str, limit: int) -> None:
    try:
        full = Path(path).stat().st_size >= limit
    except FileNotFoundError:
        return
    if full:
        Path(path).replace(path + ".1")


def backwards(path: str) -> Iterator[Entry]:
    """Yield the entries, the last one first; what is no entry is passed over. A journal not yet made has none."""
    for name in (path, path + ".1"):
        try:
            lines = Path(name).read_bytes().splitlines()
        except OSError:
            continue
        for line in reversed(lines):
            entry = _entry(line)
            if entry:
                yield entry


def _entry(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "run" in entry and "event" in entry else None


def last_run(path: str) -> str:
    """Return a text that differs as soon as a run has begun or ended here; empty before the first one.

    A run that has withdrawn changed nothing and does not count.
    """
    withdrawn = set()
    for entry in backwards(path):
        if entry.get("result") == WITHDRAWN:
            withdrawn.add(entry["run"])
        elif entry["run"] not in withdrawn:
            return f"{entry['run']} {entry['event']}"
    return ""


def unfinished(path: str, run: str) -> bool:
    """Say whether a run has begun here and not ended."""
    return next((entry["event"] == "begin" for entry in backwards(path) if entry["run"] == run), False)
