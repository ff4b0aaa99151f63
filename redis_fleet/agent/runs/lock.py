"""The lock of a deployment on one machine: a small JSON file that says which run works on it.

A run is ``id`` (random), ``owner``, ``time``, ``verb`` and what its controller recognises it by: nothing is secret.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..host.files import replace
from . import runlog

Run = dict[str, Any]
_STEP = ("number", "process", "how", "what", "reason")


def holder(path: str) -> Run | None:
    """Return the run that holds a lock, None when it is free; a file that is no lock is held by one without an id."""
    try:
        run = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        run = None
    return run if isinstance(run, dict) and run.get("id") else {"id": "", "owner": "nobody knows who", "time": ""}


def take(path: str, run: Run, take_over: str = "") -> Run | None:
    """Take a lock that is free, already this run's, or held by the run ``take_over``; returns who holds it otherwise.

    Nothing lies between looking and taking, and the file is there whole or not at all. Raises OSError.
    """
    Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with runlog.guarded(path):
        found = holder(path)
        if found and found["id"] != run["id"] and not (take_over and found["id"] == take_over):
            return found
        if not found or found["id"] != run["id"]:
            replace(Path(path), json.dumps(run).encode(), "", 0o644)
    return None


def give(path: str, run: str = "") -> Run | None:
    """Give back the lock of one run, or of whatever run holds it; returns the run that held it. Raises OSError."""
    if not Path(path).exists():
        return None
    with runlog.guarded(path):
        found = holder(path)
        if not found or (run and found["id"] != run):
            return None
        Path(path).unlink()
    return found


def begin(request: Run) -> Run:
    """Take the lock and note the beginning; the answer is ``taken``, ``holder`` (who has it instead) and ``moved``.

    The request is ``lock`` and ``journal`` (paths), ``run``, ``take_over``, ``steps`` and ``seen``: what ``last_run``
    was when the steps were planned (None: nothing was looked at before). When it is another one by now (``moved``),
    nothing is taken. Raises OSError.
    """
    path, journal, run = request["lock"], request["journal"], request["run"]
    mine = (holder(path) or {}).get("id") == run["id"]
    other = take(path, run, request["take_over"])
    if other:
        return {"taken": False, "holder": other, "moved": False}
    if mine and runlog.unfinished(journal, run["id"]):
        return {"taken": True, "holder": None, "moved": False}
    moved = request["seen"] is not None and runlog.last_run(journal) != request["seen"]
    try:
        if not moved:
            runlog.note(journal, _beginning(request))
    except OSError:
        give(path, run["id"])
        raise
    if moved:
        give(path, run["id"])
    return {"taken": not moved, "holder": None, "moved": moved}


def _beginning(request: Run) -> Run:
    run = request["run"]
    # Named one by one: whatever else a step may have some day does not get into the journal by itself.
    steps = [{key: step[key] for key in _STEP if key in step} for step in request["steps"]]
    told = {"event": "begin", "run": run["id"], "owner": run["owner"], "verb": run["verb"], "steps": steps}
    return {**told, "took_over": request["take_over"]} if request["take_over"] else told


def end(request: Run) -> Run:
    """Note the end and give the lock back; the answer is ``given`` (who held it) and ``holder`` (who does now).

    The request is ``lock``, ``journal``, ``run`` (an id; empty: whatever run holds the lock), ``result`` and
    ``message``. Safe to repeat. Raises OSError when the journal cannot be written; the lock is free then, too.
    """
    path, journal = request["lock"], request["journal"]
    found = holder(path)
    run = request["run"] or (found or {}).get("id", "")
    try:
        # Before the lock is free: whoever takes it next finds this end.
        if run and runlog.unfinished(journal, run):
            told = {"event": "end", "run": run, "result": request["result"]}
            runlog.note(journal, {**told, "message": request["message"]} if request["message"] else told)
    finally:
        given = give(path, request["run"])
    return {"given": given, "holder": holder(path)}
