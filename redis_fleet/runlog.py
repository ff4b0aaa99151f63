"""The controller's journal of one deployment: a line when a run begins to change things, one when it ends."""

from __future__ import annotations

import hashlib
import os
import time
from calendar import timegm
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redis_fleet.agent.runs.runlog import Entry, backwards, guarded, note, unfinished
from redis_fleet.model import Fleet

_STEP = ("number", "stage", "machine", "process", "how", "what", "reason")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def place(source: str, name: str, sandbox: Path | str | None = None) -> Path:
    """Return the journal of a description (its path and the deployment's name); a sandbox keeps its own."""
    if sandbox:
        return Path(sandbox) / "journal.jsonl"
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    digest = hashlib.sha256(os.path.realpath(source).encode()).hexdigest()[:8]
    return base / "redis-fleet" / f"{name}-{digest}.jsonl"


def place_of(fleet: Fleet) -> Path:
    """Return the journal of a placed fleet."""
    return place(fleet.source, fleet.name, fleet.sandbox.root if fleet.sandbox else None)


def begin(journal: Path, run: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """Note a run (see ``new_run``) with its whole plan, passwords masked; returns why it could not be noted, or ''."""
    # Named one by one: whatever else a plan may have some day does not get into the journal by itself.
    steps = [{key: step[key] for key in _STEP if key in step} for step in plan["steps"]]
    masters = {name: each["master"] for name, each in plan.get("masters", {}).items()}
    told = {"plan": {"steps": steps, "notes": list(plan.get("notes", ())), "masters": masters}}
    who = {key: run[key] for key in ("owner", "verb", "pid", "started", "boot", "shared") if key in run}
    return _write(journal, {"event": "begin", "run": run["id"], **who, **told}, fresh=True)


def end(journal: Path, run: str, result: str, message: str = "") -> str:
    """Note how a run that has begun here ended and after how long, once; returns as ``begin``."""
    found = next((each for each in backwards(str(journal)) if each["run"] == run), None)
    if not found:
        return ""
    told = {"event": "end", "run": run, "result": result, "seconds": max(0, round(time.time() - _clock(found)))}
    return _write(journal, {**told, "message": message} if message else told, fresh=False)


def _clock(entry: Entry) -> int:
    return timegm(time.strptime(entry["time"], _TIME))


def _write(journal: Path, entry: Entry, *, fresh: bool) -> str:
    """Append an entry; an end only while the run has none, whoever of several writes it first."""
    try:
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with guarded(str(journal)):
            if fresh or unfinished(str(journal), entry["run"]):
                note(str(journal), entry, mode=0o600)
    except OSError as error:
        return f"the journal {journal} cannot be written: {error.strerror or error}"
    return ""


def read(journal: Path, count: int = 20) -> list[Entry]:
    """Return the last runs, the latest last: their beginning, with ``result``, ``seconds`` and ``message`` of the end.

    ``result`` is None for a run that has not ended, or was killed.
    """
    ends: dict[str, Entry] = {}
    runs: list[Entry] = []
    for entry in backwards(str(journal)):
        if len(runs) >= count:
            break
        if entry["event"] == "end":
            ends.setdefault(entry["run"], entry)
        else:
            told = ends.get(entry["run"], {})
            runs.append({**entry, **{key: told.get(key) for key in ("result", "seconds", "message")}})
    return runs[::-1]
