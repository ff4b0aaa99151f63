"""A chart for the page: what the charting library is given, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ROWS = 40
"""A table with more rows than this is not read; a longer series is shown by the highest of each interval."""

Point = Sequence[float]


@dataclass(frozen=True)
class Mark:
    """Something that happened, with the number that it has in the picture."""

    number: int
    at: float
    text: str
    kind: str


@dataclass(frozen=True)
class Span:
    """Something that lasted, from its begin to its end in seconds."""

    begin: float
    end: float
    text: str


@dataclass(frozen=True)
class Table:
    """The numbers of a chart; ``thinned`` when not every point is there."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    thinned: bool


@dataclass(frozen=True)
class Figure:
    """A chart of a report, ready for the page; ``data`` is what the script draws."""

    title: str
    meaning: str
    kind: str
    data: Mapping[str, Any]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    table: Table


def figure(chart: Mapping[str, Any]) -> Figure:
    """Return the figure of a chart (a dict, as in the JSON report)."""
    spans, rest = _spans(chart["marks"])
    spans += _outages(rest)
    marks = tuple(
        Mark(number, each["at"], each["text"], each["kind"])
        for number, each in enumerate(sorted(rest, key=lambda each: float(each["at"])), start=1)
    )
    data = {
        "kind": chart["kind"],
        "title": chart["title"],
        "labels": list(chart["labels"]),
        "series": [
            {"name": each["name"], "unit": each["unit"], "points": [[_round(x), _round(y)] for x, y in each["points"]]}
            for each in chart["series"]
        ],
        "marks": [[mark.number, _round(mark.at), mark.kind] for mark in marks],
        "spans": [[_round(span.begin), _round(span.end), span.text] for span in spans],
    }
    table = _bars(chart) if chart["kind"] == "bars" else _over_time(chart)
    return Figure(chart["title"], chart["meaning"], chart["kind"], data, marks, spans, table)


def number(value: float) -> str:
    """Return a number for people: thousands set apart, three or four figures that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"


def _round(value: float) -> float:
    return float(f"{value:.5g}")


def _spans(marks: Sequence[Mapping[str, Any]]) -> tuple[tuple[Span, ...], list[Mapping[str, Any]]]:
    """Tell the begin and the end of what lasted from the other marks."""
    spans, rest = [], list(marks)
    for mark in marks:
        if _code(mark) != "begins":
            continue
        end = next((each for each in rest if _ends(each, mark)), None)
        if end is not None:
            spans.append(Span(mark["at"], end["at"], mark["about"]))
            rest = [each for each in rest if each is not mark and each is not end]
    return tuple(spans), rest


def _ends(end: Mapping[str, Any], begin: Mapping[str, Any]) -> bool:
    return _code(end) == "ends" and end["about"] == begin["about"] and end["at"] >= begin["at"]


def _code(mark: Mapping[str, Any]) -> str:
    """Return what a mark was; most are only something that happened."""
    return str(mark.get("code", ""))


def _outages(marks: Sequence[Mapping[str, Any]]) -> tuple[Span, ...]:
    """Return the times between the writer's first refused write and its next accepted one."""
    spans, since = [], None
    for mark in marks:
        if _code(mark) == "writes_refused":
            since = mark["at"]
        elif _code(mark) == "writes_accepted" and since is not None:
            spans.append(Span(since, mark["at"], "writes refused"))
            since = None
    return tuple(spans)


def _bars(chart: Mapping[str, Any]) -> Table:
    series = chart["series"]
    found = [{int(x): y for x, y in each["points"]} for each in series]
    rows = tuple(
        (label, *(number(values[place]) if place in values else "" for values in found))
        for place, label in enumerate(chart["labels"])
    )
    return Table(("", *(_head(each) for each in series)), rows, False)


def _over_time(chart: Mapping[str, Any]) -> Table:
    series = chart["series"]
    places = sorted({x for each in series for x, _ in each["points"]})
    if not places:
        return Table(("second", *(_head(each) for each in series)), (), False)
    thinned = len(places) > _ROWS
    first, width = places[0], (places[-1] - places[0]) / _ROWS or 1.0
    cells: dict[float, dict[int, float]] = {}
    for column, each in enumerate(series):
        for x, y in each["points"]:
            place = first + min(_ROWS - 1, int((x - first) / width)) * width if thinned else x
            row = cells.setdefault(place, {})
            row[column] = max(y, row.get(column, y))
    rows = tuple(
        (f"{place:.2f}", *(number(row[column]) if column in row else "" for column in range(len(series))))
        for place, row in sorted(cells.items())
    )
    return Table(("second", *(_head(each) for each in series)), rows, thinned)


def _head(series: Mapping[str, Any]) -> str:
    return f"{series['name']}, {series['unit']}"
