"""The drill about the append-only file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drills.breaking import broken, differs, per_engine, performed
from tests.harness.engines import Binary

# The newest of the files that have commands in them, whatever the version.
_LAST = "last=$(ls appendonlydir/*.incr.aof appendonly.aof 2>/dev/null | tail -1)"


def test_it_passes_twice() -> None:
    for _ in range(2):
        report = performed("aof")
        assert report.ok, report.problems
    assert [chart.labels for chart in report.charts] == [("always", "everysec", "no")] * 2
    assert all(value == 100 for _, value in report.charts[0].series[0].points)
    said = [step.doing for step in report.steps]
    assert any("redis-check-aof --fix" in each for each in said), said


@per_engine
def test_it_passes_on_every_version(binary: Binary) -> None:
    report = performed("aof", binary.server)
    assert report.ok, report.problems
    assert any("redis-check-aof --fix" in step.doing for step in report.steps)


@pytest.mark.long
def test_it_says_when_an_append_only_file_is_truncated(tmp_path: Path) -> None:
    cut = broken(tmp_path, before=f'{_LAST}; [ -z "$last" ] || [ ! -s "$last" ] || truncate -s -3000 "$last"')
    differs(performed("aof", cut), "appendfsync always: write, kill -9", "appendfsync no: write, kill -9")


def test_it_says_when_there_is_no_append_only_file(tmp_path: Path) -> None:
    report = performed("aof", broken(tmp_path, "--appendonly no"))
    differs(report, "appendfsync no: write, kill -9", "GET from", "DBSIZE: (integer) 200", "no append-only file")
