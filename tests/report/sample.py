"""What a page is made of in these tests: a run of the drills as it really was, and what a bad day would bring."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redis_fleet.model import Fleet
from redis_fleet.report import Page, of_drills, of_verification
from redis_fleet.report.picture import Arrow, Node, Picture
from tests.unit.cases.builder import fleet_of

MADE = datetime(2026, 11, 23, 19, 20, 5, tzinfo=UTC)
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> & </pre>"
WIDE = "# Replication role:slave " + "x" * 600
DIFF = "--- conf\n+++ conf\n@@ -3 +3 @@\n-monitor orders 10.0.0.11 6379 2\n+monitor orders 10.0.0.12 6379 2"


def drills() -> list[dict[str, Any]]:
    """Return the reports of a good run."""
    text = (Path(__file__).parent / "drills.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)["drills"]
    return found


def bad_drills() -> list[dict[str, Any]]:
    """Return a drill that differs, with replies that are markup, very wide or a diff, and one that was skipped."""
    steps = [
        step("SET a 1", "OK", "OK"),
        step("GET a", EVIL, '"what was written"', ok=False, meaning=f"what a client stored {EVIL}"),
        step("INFO", WIDE, ""),
        step("diff sentinel.conf", DIFF, ""),
    ]
    charts = [
        {
            "kind": "bars", "title": "Two rows of bars", "meaning": EVIL, "marks": [],
            "labels": ["always", "everysec", "no"],
            "series": [
                {"name": "kept", "unit": "%", "points": [[0, 100], [1, 99.2], [2, 71]]},
                {"name": "lost", "unit": "%", "points": [[0, 0], [1, 0.8], [2, 29]]},
            ],
        },
        {
            "kind": "timeline", "title": "No writer", "meaning": "", "labels": [], "series": [],
            "marks": [{"at": 1.0, "text": EVIL, "kind": "problem"}],
        },
    ]  # fmt: skip
    problem = f'GET a: {EVIL} (expected: "what was written")'
    bad = report("replication", "Replication", ok=False, steps=steps, charts=charts, problems=[problem])
    return [bad, report("blog", "A blog with a lock", ok=False, skipped="there is no MariaDB on this machine")]


def step(doing: str, seen: str, expected: str, *, ok: bool = True, meaning: str = "") -> dict[str, Any]:
    """Return a step as a dict."""
    told = {"doing": doing, "seen": seen, "expected": expected, "ok": ok, "meaning": meaning}
    return {"part": "All of it", "where": "orders-6379@red1", **told}


def report(name: str, title: str, **more: Any) -> dict[str, Any]:
    """Return a report as a dict."""
    empty: dict[str, Any] = {"steps": [], "measures": [], "charts": [], "problems": [], "skipped": ""}
    return {"name": name, "title": title, "proves": "something", "ok": True, "seconds": 1.5, **empty, **more}


def rows(fleet: Fleet, *, down: str = "") -> list[dict[str, Any]]:
    """Return what status would say; ``down`` is the id of a process that does not answer."""
    found = []
    for process in fleet.processes:
        up = process.id != down
        role = "sentinel" if process.kind == "sentinel" else "replica" if process.follows else "master"
        told = {"up": up, "role": role if up else None, "version": "7.0.15" if up else None, "engine": "redis"}
        follows = str(process.follows) if process.follows and up else None
        found.append({"process": process.id, "follows": follows, "link": "up" if follows else None, **told})
    return found


def page(fleet: str = "sentinel", *, bad: bool = False) -> Page:
    """Return the page of a run."""
    described = fleet_of(fleet)
    down = described.processes[1].id if bad else ""
    return of_drills([*drills(), *(bad_drills() if bad else [])], described, rows(described, down=down), MADE)


def wide_picture() -> Picture:
    """Return thirty machines with nine services."""
    every = [(service, machine) for service in range(9) for machine in range(30)]
    nodes = tuple(Node(f"s{s}-1@m{m}", f"m{m}", f"s{s}", s, "replica" if m else "master") for s, m in every)
    arrows = tuple(Arrow(node.id, f"{node.service}-1@m0") for node in nodes if node.role == "replica")
    services = tuple(f"s{s}" for s in range(9))
    return Picture(tuple((f"m{m}", "10.0.0.1") for m in range(30)), services, nodes, arrows, (), True)


def large() -> Page:
    """Return a page with a picture that fits on no screen."""
    return replace(verification(), picture=wide_picture())


def verification(*, bad: bool = False) -> Page:
    """Return the page of a verification."""
    fleet = fleet_of("sentinel")
    checks = [
        {"service": "orders", "check": check, "subject": process.id, "ok": True, "seen": seen, "expected": seen}
        for process in fleet.processes
        for check, seen in (("answers", "PONG"), ("wants its password", "NOAUTH"))
    ]
    if bad:
        checks[3] = {**checks[3], "ok": False, "seen": EVIL}
    return of_verification(checks, fleet, rows(fleet), MADE)
