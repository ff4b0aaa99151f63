"""What a drill leaves behind: its steps, numbers and charts, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Step:
    """One thing that was done and seen: the command as one would type it, the reply as redis-cli prints it.

    ``part`` is the heading that it belongs to, ``where`` the process that was asked (empty: none in particular).
    ``expected`` is empty where anything would have been fine.
    """

    part: str
    where: str
    doing: str
    seen: str
    expected: str
    ok: bool
    meaning: str


@dataclass(frozen=True)
class Measure:
    """A number with its unit, and what it means for the operator's data."""

    name: str
    value: float
    unit: str
    meaning: str = ""


@dataclass(frozen=True)
class Mark:
    """Something that happened on a chart's axis, in the axis's unit.

    ``kind`` is how it looks. ``code`` says what it was for the programs that draw, where something follows from it:
    ``begins`` and ``ends`` of what ``about`` names, and the codes of ``operations.ports.TimelineEvent``.
    """

    at: float
    text: str
    kind: str = "event"
    code: str = ""
    about: str = ""


@dataclass(frozen=True)
class Series:
    """One line or one row of bars: points of (place on the axis, value in ``unit``)."""

    name: str
    unit: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Chart:
    """A picture: ``timeline`` and ``latency`` have seconds on their axis, ``bars`` one bar for each of ``labels``."""

    kind: Literal["timeline", "latency", "bars"]
    title: str
    meaning: str
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class DrillReport:
    """What came out of one drill; ``ok`` exactly when ``problems`` is empty.

    ``skipped`` says why it could not be done here; then nothing else is there, and it counts as neither good nor bad.
    """

    name: str
    title: str
    proves: str
    ok: bool
    seconds: float
    steps: tuple[Step, ...] = ()
    measures: tuple[Measure, ...] = ()
    charts: tuple[Chart, ...] = ()
    problems: tuple[str, ...] = ()
    skipped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return asdict(self)
