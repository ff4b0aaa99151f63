"""The drill about snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drills.breaking import broken, differs, per_engine, performed
from tests.harness.engines import Binary


def test_it_passes_twice_and_shows_who_waits() -> None:
    for _ in range(2):
        report = performed("rdb")
        assert report.ok, report.problems
    numbers = {each.name: each.value for each in report.measures}
    assert numbers["longest wait during BGSAVE"] < numbers["longest wait during SAVE"]
    (chart,) = report.charts
    assert chart.kind == "latency"
    assert [mark.text for mark in chart.marks] == ["SAVE begins", "SAVE ends", "BGSAVE begins", "BGSAVE ends"]
    assert max(value for _, value in chart.series[0].points) > 0.8 * numbers["longest wait during SAVE"]


@per_engine
def test_it_passes_on_every_version(binary: Binary) -> None:
    report = performed("rdb", binary.server)
    assert report.ok, report.problems


def test_it_says_when_a_rule_never_triggers(tmp_path: Path) -> None:
    differs(performed("rdb", broken(tmp_path, '--save ""')), "CONFIG GET save", "'3 changes in 2 seconds' triggers")


def test_it_says_when_bgsave_blocks(tmp_path: Path) -> None:
    # BGSAVE becomes another name for SAVE, and what SAVE was is gone.
    swapped = broken(tmp_path, "--rename-command BGSAVE hidden --rename-command SAVE BGSAVE")
    differs(performed("rdb", swapped), "longest wait of a second client during BGSAVE")


@pytest.mark.long
def test_it_says_when_a_snapshot_is_not_restored_or_written_unasked(tmp_path: Path) -> None:
    differs(performed("rdb", broken(tmp_path, before="rm -f dump.rdb")), "GET before: (nil)")
    unasked = broken(tmp_path, before='case "$PWD" in */bare) set -- "$@" --save "3600 1";; esac')
    differs(performed("rdb", unasked), "look for dump.rdb: there is one", "DBSIZE: (integer) 10000")
