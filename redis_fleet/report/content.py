"""What a page says: made from reports of drills, of a verification or of a failover, all as in their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from redis_fleet import kinds
from redis_fleet.drills.master_moves import timeline
from redis_fleet.model import Fleet
from redis_fleet.operations.failover_ways import WAYS
from redis_fleet.report.charts import Figure, figure
from redis_fleet.report.picture import Picture, Row, picture_of

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """Steps under one heading."""

    title: str
    steps: tuple[Report, ...]

    @property
    def differing(self) -> int:
        """How many of them were not as expected."""
        return sum(not step["ok"] for step in self.steps)


@dataclass(frozen=True)
class Section:
    """A drill as it is shown. ``verdict`` is ``good``, ``bad`` or ``skipped``, ``said`` the same in words."""

    name: str
    title: str
    proves: str
    verdict: str
    said: str
    seconds: float
    parts: tuple[Part, ...]
    measures: tuple[Report, ...]
    figures: tuple[Figure, ...]
    problems: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return sum(len(part.steps) for part in self.parts)


@dataclass(frozen=True)
class Subject:
    """What was found out about one process or service in a verification."""

    service: str
    name: str
    checks: tuple[Report, ...]

    @property
    def ok(self) -> bool:
        """Whether all of it is."""
        return all(check["ok"] for check in self.checks)


@dataclass(frozen=True)
class Page:
    """Everything on a page; ``made`` is aware. ``what`` is the kind of report, ``where`` in words what it was done on.

    ``software`` is the engine with its version, empty when it is not known.
    """

    title: str
    what: str
    made: datetime
    ok: bool
    said: str
    where: str = ""
    software: str = ""
    picture: Picture | None = None
    sections: tuple[Section, ...] = ()
    subjects: tuple[Subject, ...] = ()
    problems: tuple[str, ...] = ()


def of_drills(
    reports: Sequence[Report],
    fleet: Fleet | None = None,
    rows: Sequence[Row] = (),
    made: datetime | None = None,
    software: str = "",
) -> Page:
    """Return the page of drills; ``rows`` are those of ``status``. Without a fleet only labs were used."""
    sections = tuple(_section(report) for report in reports)
    done = [section for section in sections if section.verdict != "skipped"]
    bad = sum(section.verdict == "bad" for section in done)
    said = f"{len(done) - bad} of {len(sections)} {_plural(len(sections), 'drill')} as documented"
    said += f", {bad} {'differs' if bad == 1 else 'differ'}" if bad else ""
    said += f", {len(sections) - len(done)} skipped" if len(done) < len(sections) else ""
    return Page(
        fleet.name if fleet else "servers of their own", "drills", made or datetime.now(UTC), not bad, said,
        where=_where(fleet), software=_software(fleet, rows) or software, picture=_picture(fleet, rows),
        sections=sections,
    )  # fmt: skip


def of_verification(
    checks: Sequence[Report],
    fleet: Fleet,
    rows: Sequence[Row] = (),
    made: datetime | None = None,
    failures: Sequence[str] = (),
    troubles: Sequence[str] = (),
) -> Page:
    """Return the page of a verification; ``failures`` say why there are no checks, ``troubles`` what else is wrong."""
    bad = sum(not check["ok"] for check in checks)
    said = f"{bad} of {len(checks)} checks failed" if bad else f"{len(checks)} checks, all ok"
    if troubles and not bad:
        said = f"{len(checks)} checks are ok, and {len(troubles)} other things are wrong"
    subjects: dict[tuple[str, str], list[Report]] = {}
    for check in checks:
        subjects.setdefault((check["service"], check["subject"]), []).append(check)
    return Page(
        fleet.name, "verification", made or datetime.now(UTC), bool(checks) and not (bad or troubles),
        said if checks else "nothing could be verified", where=_where(fleet), software=_software(fleet, rows),
        picture=_picture(fleet, rows), problems=tuple(troubles if checks else failures),
        subjects=tuple(Subject(*about, tuple(found)) for about, found in subjects.items()),
    )  # fmt: skip


def of_failover(report: Report, fleet: Fleet, rows: Sequence[Row] = (), made: datetime | None = None) -> Page:
    """Return the page of a failover drill; ``report`` is a FailoverReport as a dict with its ``writes``."""
    drawn = figure(asdict(timeline(report, "What clients notice of the failover")))
    section = Section(
        "failover", f"Failover of {report['service']}",
        f"while a client writes the master is taken away, {report['how']}: {WAYS[report['how']].means}; a replica takes"
        " over, and what was acknowledged is still there",
        "good" if report["ok"] else "bad", "as it should be" if report["ok"] else "not as it should be",
        max((event["at_ms"] for event in report["timeline"]), default=0) / 1000,
        (), tuple(_failover_measures(report)), (drawn,), tuple(report["problems"]),
    )  # fmt: skip
    gap = report["write_gap_ms"]
    said = "the failover is as it should be" if report["ok"] else "the failover is not as it should be"
    said += f": writes refused for {gap:,} ms" if gap is not None else ""
    return Page(
        fleet.name, "failover drill", made or datetime.now(UTC), bool(report["ok"]), said, where=_where(fleet),
        software=_software(fleet, rows), picture=_picture(fleet, rows), sections=(section,),
    )  # fmt: skip


def _section(report: Report) -> Section:
    verdict = "skipped" if report["skipped"] else "good" if report["ok"] else "bad"
    words = {"good": "as documented", "bad": "differs", "skipped": "skipped"}
    said = words[verdict]
    parts = dict.fromkeys(step["part"] for step in report["steps"])
    return Section(
        report["name"], report["title"], report["proves"], verdict, said, report["seconds"],
        tuple(Part(name, tuple(step for step in report["steps"] if step["part"] == name)) for name in parts),
        tuple(report["measures"]), tuple(figure(chart) for chart in report["charts"]),
        tuple(report["problems"]) or ((report["skipped"],) if report["skipped"] else ()),
    )  # fmt: skip


def _failover_measures(report: Report) -> list[Report]:
    rows = [
        ("writes refused for", report["write_gap_ms"], "ms", "clients must try again meanwhile"),
        ("acknowledged writes", report["acknowledged"], "", "of one client that writes all the time"),
        ("of these lost", report["acknowledged_lost"], "", "acknowledged by the old master, not on the new one"),
        *_stale(report),
        ("refused tries", report["refused"], "", ""),
        ("old master back as a replica after", report["rejoined_ms"], "ms", "from the order to let it come back"),
        ("master", f"{report['old_master']} → {report['new_master'] or 'none'}", "", ""),
        ("how", report["how"], "", WAYS[report["how"]].means),
        ("kept away by", report["kept_down"] or "was not touched", "", ""),
    ]
    return [
        {"name": name, "value": "not known" if value is None else value, "unit": unit, "meaning": meaning}
        for name, value, unit, meaning in rows
    ]


def _stale(report: Report) -> list[tuple[str, Any, str, str]]:
    lost = report["stale_acknowledged_lost"]
    said = "acknowledged by the old master, when it went on, to a client that had stayed with it"
    return [] if lost is None else [("lost by a client that did not ask again", lost, "", said)]


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _where(fleet: Fleet | None) -> str:
    if fleet is None:
        return "on servers of the drills' own, which were thrown away"
    count = [
        f"{len({process.machine for process in fleet.processes})} machines",
        f"{sum(kinds.of(process).keeps_data for process in fleet.processes)} servers",
        f"{len(fleet.sentinels)} Sentinels",
    ]
    told = ", ".join(each[:-1] if each.startswith("1 ") else each for each in count)
    return f"sandbox on this machine, standing in for {told}" if fleet.sandbox else told


def _software(fleet: Fleet | None, rows: Sequence[Row]) -> str:
    # As they say themselves: a sandbox may run the other engine's binary.
    running = sorted({f"{row['engine']} {row['version']}" for row in rows if row.get("version")})
    described = f"{fleet.engine} {fleet.version}" if fleet and fleet.version else ""
    return ", ".join(running) or described


def _picture(fleet: Fleet | None, rows: Sequence[Row]) -> Picture | None:
    return picture_of(fleet, rows) if fleet else None
