"""The drill about rewriting the append-only file."""

from __future__ import annotations

from pathlib import Path

from tests.drills.breaking import broken, differs, per_engine, performed
from tests.harness.engines import Binary


def test_it_passes_twice_and_shows_the_sizes() -> None:
    for _ in range(2):
        report = performed("rewrite")
        assert report.ok, report.problems
    kinds = {chart.kind: chart for chart in report.charts}
    assert [mark.text for mark in kinds["latency"].marks] == ["BGREWRITEAOF begins", "BGREWRITEAOF ends"]
    rewritten, doubled, lowered, half, again = (value for _, value in kinds["bars"].series[0].points)
    assert doubled > 2 * rewritten
    assert lowered < half < doubled
    assert again < doubled


@per_engine
def test_it_passes_on_every_version(binary: Binary) -> None:
    report = performed("rewrite", binary.server)
    assert report.ok, report.problems


def test_it_says_when_the_file_is_not_rewritten(tmp_path: Path) -> None:
    refused = broken(tmp_path, "--rename-command BGREWRITEAOF hidden")
    differs(
        performed("rewrite", refused), "BGREWRITEAOF: (error) ERR unknown command", "the append-only file: SELECT 0"
    )


def test_it_says_when_the_data_are_not_the_same_afterwards(tmp_path: Path) -> None:
    lost = broken(
        tmp_path, before="for each in appendonlydir/*.base.* appendonly.aof; do [ ! -e $each ] || : > $each; done"
    )
    differs(performed("rewrite", lost), "the data after kill -9 and a start")


def test_it_says_when_there_is_no_append_only_file(tmp_path: Path) -> None:
    differs(performed("rewrite", broken(tmp_path, "--appendonly no")), "no append-only file")
