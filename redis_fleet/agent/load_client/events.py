"""The events file of the drill's writer: one JSON object a line, written by one process, read by another."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

Event = dict[str, Any]
"""A line of the events file: ``event`` (started, master, refused, accepted, tick, tally, failed), ``time`` (wall clock,
seconds since 1970), ``at_ms`` (since the writer began), and what belongs to the event: ``master`` and ``named_by``
(ids), ``reason``, ``gap_ms``, ``acknowledged`` and ``refused`` (so far), the whole tally."""


class Journal:
    """The events file: one JSON object a line, readable by its owner only."""

    def __init__(self, path: str) -> None:
        """Create the file; raises FileExistsError for one that exists."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._began = time.monotonic()

    def note(self, event: str, **facts: object) -> None:
        """Append one event, at once visible to a reader."""
        at_ms = round((time.monotonic() - self._began) * 1000)
        line = json.dumps({"event": event, "time": time.time(), "at_ms": at_ms, **facts})
        os.write(self._file, line.encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """Return the whole lines behind ``offset`` (bytes) and the offset behind them; a file not yet made is empty."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            text = file.read()
    except FileNotFoundError:
        return [], offset
    whole = text[: text.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()], offset + len(whole)
