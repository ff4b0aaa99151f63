"""Rendering to disk against a bare Jinja loop that writes the same bytes to the same places."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jinja2

from redis_fleet.description.load import load
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.project import TEMPLATES
from redis_fleet.render import files
from redis_fleet.settings.layout import SystemLayout
from redis_fleet.topology.place import place
from tests.bench.report import Comparison
from tests.harness.hosts.engine import ROOT

SAMPLE = ROOT / "inventory" / "shared-machines.redis.yml"
SPEED = 0.6
_TURNS = 5


@dataclass(frozen=True)
class Job:
    """One file of the bare loop: where it goes below the output folder, its template, and a ready context."""

    path: str
    template: str
    context: dict[str, Any]


class _Recorder:
    """Stands in for redis_fleet.render's way to its templates, and notes what is rendered with what."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment
        self.last: tuple[str, dict[str, Any]] = ("", {})

    def __call__(self, name: str) -> _Recorder:
        self.last = (name, {})
        return self

    def render(self, *given: Any, **named: Any) -> str:
        self.last = (self.last[0], dict(*given, **named))
        return self._environment.get_template(self.last[0]).render(self.last[1])


def measure(rounds: int) -> list[Comparison]:
    """Compare in ``rounds`` rounds, each turn in fresh folders; imports, catalogue and templates are warm for both."""
    environment = _bare_environment()
    with tempfile.TemporaryDirectory(prefix="redis-fleet-bench-") as folder:
        text = SAMPLE.read_text()
        source = str(Path(folder) / SAMPLE.name)
        Path(source).write_text(text)  # passwords are made beside the copy, not in the checkout
        description = load(source)
        fleet = place(description, SystemLayout())
        if description.problems:
            raise InvalidDescriptionError(description.problems)
        jobs = _jobs(fleet, environment)
        ways: dict[str, Callable[[Path], object]] = {
            "bare": lambda out: _bare(environment, jobs, out),
            "bare with folders": lambda out: _bare_with_folders(environment, jobs, out),
            "placed": lambda out: files.write(place(description, SystemLayout()), out),
            "placed with folders": lambda out: files.write(place(description, SystemLayout()), out),
            "render": lambda out: files.write(fleet, out),
            "text": lambda out: files.write(place(load(source), SystemLayout()), out),
        }
        times = _times(ways, jobs, Path(folder), rounds)
    count = f"{len(jobs)} files"
    # Both begin with their values ready: ours with the placed fleet, the bare loop with its contexts.
    judged = Comparison(
        f"render {count} to disk", "bare Jinja loop", times["render"], times["bare"], "at least", SPEED, True
    )
    return [
        judged,
        _told("the same, placed before", "bare Jinja loop", times["placed"], times["bare"]),
        _told(
            "the same, folders made too",
            "bare loop, mkdir for each",
            times["placed with folders"],
            times["bare with folders"],
        ),
        _told("from the YAML text and password files on", "bare Jinja loop", times["text"], times["bare"]),
    ]


def _told(name: str, against: str, ours: tuple[float, ...], theirs: tuple[float, ...]) -> Comparison:
    return Comparison(name, against, ours, theirs, "at least", None, True)


def _bare_environment() -> jinja2.Environment:
    """Make an environment with the options of redis_fleet.render: the templates are written for them."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def _jobs(fleet: Fleet, environment: jinja2.Environment) -> list[Job]:
    """Return what the bare loop writes, and make sure that it is byte for byte what redis-fleet writes."""
    recorder = _Recorder(environment)
    jobs = []
    with patch.object(files, "_template", recorder):
        for machine in fleet.machines:
            for file in files.machine_files(fleet, machine):
                job = Job(machine + file.path, *recorder.last)
                if environment.get_template(job.template).render(job.context).encode() != file.content:
                    raise RuntimeError(f"the bare loop would write another {job.path}")
                jobs.append(job)
    return jobs


def _bare(environment: jinja2.Environment, jobs: list[Job], out: Path) -> None:
    for job in jobs:
        (out / job.path).write_bytes(environment.get_template(job.template).render(job.context).encode())


def _bare_with_folders(environment: jinja2.Environment, jobs: list[Job], out: Path) -> None:
    for job in jobs:
        target = out / job.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(environment.get_template(job.template).render(job.context).encode())


def _times(
    ways: dict[str, Callable[[Path], object]], jobs: list[Job], folder: Path, rounds: int
) -> dict[str, tuple[float, ...]]:
    """Return seconds for each way and round, the best of a few turns: what else runs here only ever adds to them.

    Every turn writes to a folder of its own without any file; its subfolders exist, except for the ways that are "with
    folders".
    """
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-1, rounds):  # the first round warms up, and is forgotten
        turns: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(_TURNS):
            # Turned round each time, so that nobody always comes after the same neighbour.
            for name in ways if turn % 2 else reversed(ways):
                with tempfile.TemporaryDirectory(dir=folder) as fresh:
                    if "with folders" not in name:
                        _make_folders(jobs, Path(fresh))
                    turns[name].append(_timed(ways[name], Path(fresh)))
        if number >= 0:
            for name, seconds in turns.items():
                found[name].append(min(seconds))
    return {name: tuple(samples) for name, samples in found.items()}


def _make_folders(jobs: list[Job], out: Path) -> None:
    for job in jobs:
        (out / job.path).parent.mkdir(parents=True, exist_ok=True)


def _timed(way: Callable[[Path], object], out: Path) -> float:
    gc.collect()
    begin = time.perf_counter()
    way(out)
    return time.perf_counter() - begin
