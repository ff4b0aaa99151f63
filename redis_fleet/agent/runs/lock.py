"""The lock of a deployment on one machine: a small JSON file that says which run works on it. Nothing is secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

from ..errors import JournalError
from ..host.files import replace
from ..messages.runs import Begin, Begun, End, Ended, LoggedStep, Run
from . import runlog


def holder(path: str) -> Optional[Run]:
    """Return the run that holds a lock, None when it is free; a file that is no lock is held by one without an id."""
    try:
        found = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found.get("id"):
        return Run("", "nobody knows who")
    return Run.from_json({name: value for name, value in found.items() if name in Run.__dataclass_fields__})


def take(path: str, run: Run, take_over: str = "") -> Optional[Run]:
    """Take a lock that is free, already this run's, or held by the run ``take_over``; returns who holds it otherwise.

    Nothing lies between looking and taking, and the file is there whole or not at all. Raises OSError.
    """
    Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with runlog.guarded(path):
        found = holder(path)
        if found and found.id != run.id and not (take_over and found.id == take_over):
            return found
        if not found or found.id != run.id:
            replace(Path(path), json.dumps(run.to_json()).encode(), "", 0o644)
    return None


def give(path: str, run: str = "") -> Optional[Run]:
    """Give back the lock of one run, or of whatever run holds it; returns the run that held it. Raises OSError."""
    if not Path(path).exists():
        return None
    with runlog.guarded(path):
        found = holder(path)
        if not found or (run and found.id != run):
            return None
        Path(path).unlink()
    return found


@contextmanager
def _on_this_machine() -> Iterator[None]:
    """Say which file it was about that the system would not let us use."""
    try:
        yield
    except OSError as error:
        raise JournalError(f"the lock or the journal of the deployment: {error}") from None


@_on_this_machine()
def begin(request: Begin) -> Begun:
    """Take the lock and note the beginning. Raises JournalError."""
    path, journal, run = request.lock, request.journal, request.run
    before = holder(path)
    mine = before is not None and before.id == run.id
    other = take(path, run, request.take_over)
    if other:
        return Begun(taken=False, holder=other)
    if mine and runlog.unfinished(journal, run.id):
        return Begun(taken=True)
    moved = request.seen is not None and runlog.last_run(journal) != request.seen
    try:
        if not moved:
            runlog.note(journal, _beginning(request))
    except OSError:
        give(path, run.id)
        raise
    if moved:
        give(path, run.id)
    return Begun(taken=not moved, moved=moved)


def _beginning(request: Begin) -> runlog.Entry:
    run = request.run
    told: runlog.Entry = {"event": "begin", "run": run.id, "owner": run.owner, "verb": run.verb}
    told["steps"] = [_known(step) for step in request.steps]
    return {**told, "took_over": request.take_over} if request.take_over else told


def _known(step: LoggedStep) -> runlog.Entry:
    return {name: value for name, value in step.to_json().items() if value is not None}


@_on_this_machine()
def end(request: End) -> Ended:
    """Note the end and give the lock back. Raises JournalError when that cannot be noted; the lock is free then."""
    path, journal = request.lock, request.journal
    found = holder(path)
    run = request.run or (found.id if found else "")
    try:
        # Before the lock is free: whoever takes it next finds this end.
        if run and runlog.unfinished(journal, run):
            told = {"event": "end", "run": run, "result": request.result}
            runlog.note(journal, {**told, "message": request.message} if request.message else told)
    finally:
        given = give(path, request.run)
    return Ended(given, holder(path))
