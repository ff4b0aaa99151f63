"""A master that is moved within a drill, by a failover or on purpose: what to say of it, and its picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from redis_fleet.drills.context import Deployment, NotHereError, Place
from redis_fleet.drills.lab import Lab
from redis_fleet.drills.report import Chart, Mark, Series
from redis_fleet.drills.transcript import Notebook

_ALLOW = "say --disturb to see it, or leave FILE out to see it in a sandbox"


def in_lab(place: Place, book: Notebook, show: Callable[[Lab, Notebook], None]) -> None:
    """Show what needs servers of its own, or say that there can be none here."""
    try:
        with place.lab() as lab:
            show(lab, book)
    except NotHereError as why:
        left_out(book, "what needs servers of its own", str(why))


def left_out(book: Notebook, what: str, why: str) -> None:
    """Say that a part is not shown here; that is no failure."""
    book.check(what, f"left out: {why}", ok=True)


def failed_over(deployment: Deployment, book: Notebook) -> Mapping[str, Any] | None:
    """Kill the master, wait for the Sentinels and return the report; None where that may or can not be done."""
    if why := _unmoved(deployment, watched=True):
        left_out(book, "kill the master", why)
        return None
    report = deployment.failover()
    book.check(
        f"kill {report['old_master']}, the master, and let it come back",
        f"{report['new_master'] or 'nobody'} is the master",
        ok=bool(report["new_master"]) and report["new_master"] != report["old_master"],
        expected="a replica was promoted by the Sentinels",
        where=deployment.service.name,
    )
    return report


def switched_over(deployment: Deployment, book: Notebook) -> Mapping[str, Any] | None:
    """Move the master on purpose and return the report; None where that may or can not be done."""
    if why := _unmoved(deployment, watched=False):
        left_out(book, "redis-fleet switchover", why)
        return None
    report = deployment.switchover()
    book.check(
        "redis-fleet switchover",
        "; ".join(report["problems"]) or f"{report['old_master']} → {report['new_master']}",
        ok=bool(report["ok"]),
        expected="another server is the master, nothing is lost",
        meaning="the old master refuses writes until a replica has all of them; then the replica is promoted",
        where=deployment.service.name,
    )
    return report


def _unmoved(deployment: Deployment, *, watched: bool) -> str:
    """Return why the master is not moved here, empty when it may be."""
    name = deployment.service.name
    if not deployment.replicas():
        return f"{name} has no replica"
    if watched and not deployment.service.watch:
        return f"no Sentinel watches {name}, so nobody would replace its master"
    return "" if deployment.disturb else f"it would disturb the clients of {name}; {_ALLOW}"


def measured(report: Mapping[str, Any], book: Notebook) -> None:
    """Note the numbers of a failover or a switchover that were measured."""
    texts = {
        "write_gap_ms": ("longest time without a write", "ms", "clients are refused meanwhile and must try again"),
        "acknowledged": ("acknowledged writes", "writes", "of one client that writes all the time"),
        "acknowledged_lost": ("of these lost", "writes", "acknowledged by the old master, not on the new one"),
        "rejoined_ms": ("old master back as a replica after", "ms", "from its start"),
    }
    for name, (title, unit, meaning) in texts.items():
        if report.get(name) is not None:
            book.measure(title, report[name], unit, meaning)


def timeline(report: Mapping[str, Any], title: str) -> Chart:
    """Return the picture of a failover: writes and refusals a second, and everything that happened, on one axis."""
    counts = report["writes"]
    done = Series("acknowledged", "writes/s", _rates(counts, "acknowledged"))
    refused = Series("refused", "tries/s", _rates(counts, "refused"))
    marks = tuple(
        Mark(event["at_ms"] / 1000, event["text"], event["kind"], event.get("code", ""))
        for event in report["timeline"]
        if event["kind"] != "tick"
    )
    meaning = "between the death of the master and the promotion nobody can write; reading goes on at the replicas"
    return Chart("timeline", title, meaning, (done, refused), marks)


def _rates(counts: list[Mapping[str, int]], name: str) -> tuple[tuple[float, float], ...]:
    """Return points of (seconds, how many a second since the point before)."""
    return tuple(
        (now["at_ms"] / 1000, round((now[name] - before[name]) * 1000 / (now["at_ms"] - before["at_ms"]), 1))
        for before, now in pairwise(counts)
        if now["at_ms"] > before["at_ms"]
    )
