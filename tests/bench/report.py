"""What the benchmarks found: ratios held against their targets, and counts; as a table or as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

Sense = Literal["at least", "at most"]


@dataclass(frozen=True)
class Spread:
    """Median and extremes of some measurements, in the unit that was measured."""

    median: float
    minimum: float
    maximum: float

    def text(self, unit: str = "") -> str:
        """Return ``1.23 (1.10-1.40)`` and the unit."""
        return f"{self.median:.2f} ({self.minimum:.2f}-{self.maximum:.2f}){unit}"


def spread(samples: Sequence[float]) -> Spread:
    """Return the spread of at least one sample."""
    return Spread(statistics.median(samples), min(samples), max(samples))


@dataclass(frozen=True)
class Comparison:
    """One thing measured against another, round by round; ``ours`` and ``theirs`` are seconds, one for each round.

    The ratio of a round is times(ours, theirs); its median is what the target is about. Without a target the
    comparison is told and not judged. ``upside_down`` makes it speed (theirs / ours) instead of time (ours / theirs).
    """

    name: str
    against: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    sense: Sense = "at most"
    target: float | None = None
    upside_down: bool = False

    @property
    def ratios(self) -> tuple[float, ...]:
        """The ratio of each round."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return tuple(theirs / ours if self.upside_down else ours / theirs for ours, theirs in pairs)

    @property
    def passed(self) -> bool | None:
        """Whether the median is within the target; None where there is none."""
        if self.target is None:
            return None
        median = spread(self.ratios).median
        return median >= self.target if self.sense == "at least" else median <= self.target

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON, times in seconds."""
        ratio = spread(self.ratios)
        return {
            "name": self.name,
            "against": self.against,
            "ours_seconds": list(self.ours),
            "theirs_seconds": list(self.theirs),
            "ratio": {"median": ratio.median, "min": ratio.minimum, "max": ratio.maximum},
            "target": None if self.target is None else f"{self.sense} {self.target:g}",
            "passed": self.passed,
        }


@dataclass(frozen=True)
class Gaps:
    """For how many seconds clients could not write, each round, with crash-handover and without."""

    name: str
    ours: tuple[float, ...]
    without: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times shorter the median is than without."""
        return spread(self.without).median / spread(self.ours).median

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON, times in seconds."""
        return {"name": self.name, "seconds": list(self.ours), "without": list(self.without), "ratio": self.ratio}


@dataclass(frozen=True)
class TaskTime:
    """One task of a play: its seconds, and the SSH calls it made to each machine."""

    name: str
    seconds: float
    calls: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Trips:
    """What one run asked of the machines."""

    name: str
    tasks: tuple[TaskTime, ...]

    @property
    def seconds(self) -> float:
        """The seconds of the whole run."""
        return sum(task.seconds for task in self.tasks)

    def seconds_of(self, words: str) -> float:
        """Return the seconds of the tasks whose names hold these words; KeyError when there is none."""
        found = [task.seconds for task in self.tasks if words in task.name]
        if not found:
            raise KeyError(words)
        return sum(found)

    @property
    def contacting(self) -> int:
        """How many tasks contact machines."""
        return sum(1 for task in self.tasks if task.calls)

    @property
    def by_machine(self) -> dict[str, int]:
        """How many SSH calls each machine saw."""
        found: dict[str, int] = {}
        for task in self.tasks:
            for machine, calls in task.calls.items():
                found[machine] = found.get(machine, 0) + calls
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "name": self.name,
            "seconds": self.seconds,
            "contacting_tasks": self.contacting,
            "calls": self.by_machine,
            "tasks": [vars(task) for task in self.tasks],
        }


@dataclass(frozen=True)
class Growth:
    """Planning for one size: seconds with nothing to do and with a change everywhere, and the peak of memory (MiB)
    with the observations themselves."""

    machines: int
    processes: int
    idle: float
    change: float
    peak: float


GROWTH = 1.5
"""The most that planning may take longer, a process, for a thousand than for ten."""


@dataclass
class Report:
    """Everything that one run of the benchmarks found."""

    comparisons: list[Comparison] = field(default_factory=list)
    trips: list[Trips] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    gaps: list[Gaps] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no target was missed."""
        return all(each.passed is not False for each in self.comparisons) and self.growth_factor <= GROWTH

    @property
    def growth_factor(self) -> float:
        """How many times longer planning takes a process in the largest deployment than in the smallest."""
        if not self.growth:
            return 1.0
        first, last = self.growth[0], self.growth[-1]
        pairs = ((first.idle, last.idle), (first.change, last.change))
        return max((big / last.processes) / (small / first.processes) for small, big in pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {
            "ok": self.ok,
            "comparisons": [each.to_dict() for each in self.comparisons],
            "trips": [each.to_dict() for each in self.trips],
            "gaps": [each.to_dict() for each in self.gaps],
            "planning": [vars(each) for each in self.growth],
            "planning_growth": self.growth_factor,
        }

    def show(self, console: Console) -> None:
        """Print the tables."""
        if self.comparisons:
            console.print(_comparisons(self.comparisons))
        if self.gaps:
            console.print(_gaps(self.gaps))
        if self.growth:
            console.print(_growth(self.growth))
        if self.trips:
            console.print(_trips(self.trips))
        for trips in self.trips:
            console.print(_tasks(trips))


_VERDICTS = {True: "[green]pass[/]", False: "[red]MISS[/]", None: ""}


def _comparisons(comparisons: Sequence[Comparison]) -> Table:
    table = Table(title="Median (min-max) over the rounds; a ratio is taken within its round", box=None, title_style="")
    for column in ("measured", "seconds", "against", "seconds", "ratio", "target", ""):
        table.add_column(column, no_wrap=True)
    for each in comparisons:
        target = "" if each.target is None else f"{each.sense} {each.target:g}"
        table.add_row(
            each.name,
            _seconds(each.ours),
            each.against,
            _seconds(each.theirs),
            ("speed " if each.upside_down else "time ") + spread(each.ratios).text(),
            target,
            _VERDICTS[each.passed],
        )
    return table


def _gaps(gaps: Sequence[Gaps]) -> Table:
    title = "\nFor how long clients could not write: median (min-max) of the rounds"
    table = Table(title=title, box=None, title_style="")
    for column in ("what happens to the master", "crash-handover: yes", "rounds", "without", "rounds", "times shorter"):
        table.add_column(column, no_wrap=True)
    for each in gaps:
        ours, without = (_seconds(samples) for samples in (each.ours, each.without))
        table.add_row(each.name, ours, str(len(each.ours)), without, str(len(each.without)), f"{each.ratio:.1f}")
    return table


def _growth(growth: Sequence[Growth]) -> Table:
    table = Table(
        title="\nPlanning from recorded observations; growth is seconds a process, the smallest size being 1",
        box=None,
        title_style="",
    )
    for column in ("machines", "processes", "nothing to do", "growth", "a change everywhere", "growth", "peak memory"):
        table.add_column(column, no_wrap=True)
    first = growth[0]
    for each in growth:
        pairs = ((each.idle, first.idle), (each.change, first.change))
        cells = (
            (f"{1000 * own:.0f} ms", f"{own / each.processes / (least / first.processes):.2f}") for own, least in pairs
        )
        table.add_row(str(each.machines), str(each.processes), *chain(*cells), f"{each.peak:.1f} MiB")
    return table


def _seconds(samples: Sequence[float]) -> str:
    small = statistics.median(samples) < 1
    return spread([each * 1000 for each in samples] if small else samples).text(" ms" if small else " s")


def _trips(trips: Sequence[Trips]) -> Table:
    table = Table(title="\nWhat is asked of the machines", box=None, title_style="")
    for column in ("run", "tasks that contact machines", "SSH calls a machine"):
        table.add_column(column, no_wrap=True)
    for each in trips:
        calls = ", ".join(f"{machine} {count}" for machine, count in sorted(each.by_machine.items()))
        table.add_row(each.name, str(each.contacting), calls or "none: it asks the services themselves")
    return table


def _tasks(trips: Trips) -> Table:
    table = Table(title=f"\nWhere the time goes: {trips.name}, {trips.seconds:.2f} s", box=None, title_style="")
    for column in ("task", "seconds", "SSH calls"):
        table.add_column(column, no_wrap=True)
    for task in trips.tasks:
        table.add_row(task.name, f"{task.seconds:.2f}", str(sum(task.calls.values()) or ""))
    return table
