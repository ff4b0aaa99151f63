"""The picture of a failover: from counts to writes a second, with what happened beside them."""

from __future__ import annotations

from typing import Any

from redis_fleet.agent.messages.client import Event, Look
from redis_fleet.agent.messages.service import ServiceView
from redis_fleet.drills.master_moves import measured, timeline
from redis_fleet.drills.transcript import Notebook
from redis_fleet.operations.timeline import Timeline
from redis_fleet.operations.watcher import Watcher
from tests.harness.live.processes import make_target

REPORT: dict[str, Any] = {
    "write_gap_ms": 2100,
    "acknowledged": 900,
    "acknowledged_lost": 0,
    "refused": 40,
    "rejoined_ms": None,
    "timeline": [
        {"at_ms": 1200, "text": "kill red1", "kind": "step"},
        {"at_ms": 1500, "text": "still refused", "kind": "tick"},
        {"at_ms": 3300, "text": "red2 finds the master down", "kind": "sentinel"},
    ],
    "writes": [
        {"at_ms": 100, "acknowledged": 0, "refused": 0},
        {"at_ms": 600, "acknowledged": 400, "refused": 0},
        {"at_ms": 600, "acknowledged": 400, "refused": 0},
        {"at_ms": 1600, "acknowledged": 400, "refused": 20},
        {"at_ms": 1850, "acknowledged": 500, "refused": 20},
    ],
}


def test_counts_become_rates_and_ticks_are_left_out() -> None:
    chart = timeline(REPORT, "The failover of orders")
    assert chart.kind == "timeline"
    writes, refusals = chart.series
    assert (writes.name, writes.unit, writes.points) == (
        "acknowledged",
        "writes/s",
        ((0.6, 800), (1.6, 0), (1.85, 400)),
    )
    assert (refusals.name, refusals.points) == ("refused", ((0.6, 0), (1.6, 20), (1.85, 0)))
    assert [(mark.at, mark.kind) for mark in chart.marks] == [(1.2, "step"), (3.3, "sentinel")]


def test_only_what_was_measured_is_a_number() -> None:
    book = Notebook(lambda _: None)
    measured(REPORT, book)
    assert [(each.value, each.unit) for each in book.measures] == [(2100, "ms"), (900, "writes"), (0, "writes")]


def test_the_watcher_keeps_what_the_writer_had_counted() -> None:
    timeline_ = Timeline(lambda _: None, str)
    watcher = Watcher(make_target([1, 2, 3, 4, 5, 6]), timeline_, ServiceView(0.0))
    events = [
        Event("started", 10.0, 0),
        Event("tick", 10.5, 500, acknowledged=300, refused=0),
        Event("refused", 10.6, 600, reason="gone"),
        Event("tick", 11.0, 1000, acknowledged=350, refused=7),
    ]
    watcher.take(Look(tuple(events), 0, ServiceView(11.0)))
    assert [(each.acknowledged, each.refused) for each in watcher.writes] == [(0, 0), (300, 0), (350, 7)]
    first, second, third = (each.at_ms for each in watcher.writes)
    assert (round((second - first) / 100), round((third - second) / 100)) == (5, 5)
