"""A drill, the list of all, and how one is run to its report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal

from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.drills.context import NoMasterError, NotHereError, Place
from redis_fleet.drills.lab import LabError
from redis_fleet.drills.report import DrillReport
from redis_fleet.drills.transcript import Notebook, Say

# In the order of the list; each is a module of this package with a DRILL.
_NAMES = ("types", "leaderboard", "rdb", "aof", "rewrite", "replication", "sentinel", "lock", "blog")


@dataclass(frozen=True)
class Drill:
    """One technique: what it proves, where it runs, and the function that shows it.

    ``on`` says where: ``deployment``, ``lab`` for servers of its own that are thrown away, or both. ``disturbs`` is
    what its clients would notice on a deployment, empty when nothing: then it needs no permission. ``more`` is what it
    shows in addition where it may disturb; without permission only that is left out.
    """

    name: str
    title: str
    proves: str
    run: Callable[[Place, Notebook], None]
    on: Literal["deployment", "lab", "lab and deployment"]
    disturbs: str = ""
    more: str = ""


@cache
def all_drills() -> tuple[Drill, ...]:
    """Return every drill in the order of the list."""
    return tuple(import_module(f"redis_fleet.drills.{_module(name)}").DRILL for name in _NAMES)


def find(name: str) -> Drill | None:
    """Return the drill of that name, if there is one."""
    return next((drill for drill in all_drills() if drill.name == name), None)


def perform(drill: Drill, place: Place, say: Say) -> DrillReport:
    """Run a drill to its report; what it wrote is removed, also when it is interrupted."""
    notebook = Notebook(say, place.prefix)
    begun = time.monotonic()
    problems: list[str] = []
    skipped = ""
    try:
        drill.run(place, notebook)
    except NotHereError as error:
        skipped = str(error)
    except (LabError, NoMasterError, ReplyError, OSError) as error:
        problems.append(str(error) or type(error).__name__)
    finally:
        unclean = _swept(place)
    problems += [each for each in unclean if each not in problems]
    problems = [*notebook.problems, *problems]
    return DrillReport(
        name=drill.name,
        title=drill.title,
        proves=drill.proves,
        ok=not problems and not skipped,
        seconds=time.monotonic() - begun,
        steps=tuple(notebook.steps),
        measures=tuple(notebook.measures),
        charts=tuple(notebook.charts),
        problems=tuple(problems),
        skipped=skipped,
    )


def _swept(place: Place) -> list[str]:
    """Remove what a drill left; returns what is to be said of that."""
    try:
        left = place.sweep()
    except (NoMasterError, ReplyError, OSError) as error:
        return [str(error) or type(error).__name__]
    return [f"it left keys behind, which were removed: {', '.join(sorted(left)[:5])}"] if left else []


def _module(name: str) -> str:
    # A module named types would be in the way of the standard library's for anyone who runs a file of this folder.
    return {"types": "data_types"}.get(name, name)
