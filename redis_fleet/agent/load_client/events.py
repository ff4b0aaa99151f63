"""The events file of the drill's writer: one JSON object a line, written by one process, read by another."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ..messages.client import Event


class Journal:
    """The events file: one JSON object a line, readable by its owner only."""

    def __init__(self, path: str) -> None:
        """Create the file; raises FileExistsError for one that exists."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._began = time.monotonic()

    def note(self, event: str, **facts: Any) -> None:
        """Append one event with what belongs to it, at once visible to a reader."""
        at_ms = round((time.monotonic() - self._began) * 1000)
        noted = Event(event, time.time(), at_ms, **facts)
        os.write(self._file, json.dumps(noted.to_json()).encode() + b"\n")

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
    return [Event.from_json(json.loads(line)) for line in whole.splitlines()], offset + len(whole)
