"""Who was made master by hand, noted on the machines: without Sentinel nothing else remembers it.

An old master that comes back after a promotion still believes to be the master; the note with the highest number says
who is. The file: ``{service: {"master": "address:port", "number": 1, "time": seconds since 1970}}``.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TypedDict

from ..host.files import replace


class Record(TypedDict):
    """One service: its master's ``address:port``, how many times that was decided by hand, and when last."""

    master: str
    number: int
    time: float


def read(path: str) -> dict[str, Record]:
    """Return the records of a machine by service; none when there is no file. Raises ValueError for a broken one."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    found = json.loads(text)
    return {
        service: {"master": str(each["master"]), "number": int(each["number"]), "time": float(each["time"])}
        for service, each in found.items()
    }


def note(path: str, service: str, master: str, number: int) -> dict[str, Record]:
    """Record the master of a service and return all records; a higher number that is noted already stays.

    ``number`` is one more than the highest on any machine. Raises OSError when the file cannot be written.
    """
    records = read(path)
    if number <= records.get(service, {"number": -1})["number"]:
        return records
    records[service] = {"master": master, "number": number, "time": time.time()}
    folder = Path(path).parent
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    replace(Path(path), (json.dumps(records, indent=1, sort_keys=True) + "\n").encode(), "", 0o644)
    return records
