"""Who was made master by hand, noted on the machines: without Sentinel nothing else remembers it.

An old master that comes back after a promotion still believes to be the master; the note with the highest number says
who is. The file: ``{service: {"master": "address:port", "number": 1, "time": seconds since 1970}}``.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from ..host.files import replace
from ..messages.manual_master import ManualMaster


def read(path: str) -> dict[str, ManualMaster]:
    """Return the records of a machine by service; none when there is no file. Raises ValueError for a broken one."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    found = json.loads(text)
    return {
        service: ManualMaster(str(each["master"]), int(each["number"]), float(each["time"]))
        for service, each in found.items()
    }


def note(path: str, service: str, master: str, number: int) -> dict[str, ManualMaster]:
    """Record the master of a service and return all records; a higher number that is noted already stays.

    ``number`` is one more than the highest on any machine. Raises OSError when the file cannot be written.
    """
    records = read(path)
    if service in records and number <= records[service].number:
        return records
    records[service] = ManualMaster(master, number, time.time())
    folder = Path(path).parent
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    written = {name: record.to_json() for name, record in records.items()}
    replace(Path(path), (json.dumps(written, indent=1, sort_keys=True) + "\n").encode(), "", 0o644)
    return records
