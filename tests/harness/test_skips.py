"""What the run of all tests says about what it left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.harness import counts, parts, run

_REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="3" tests="4">
<testcase name="one"><skipped message="there is no Chromium here">a.py:1</skipped></testcase>
<testcase name="two"><skipped message="there is no Chromium here">a.py:1</skipped></testcase>
<testcase name="three"><skipped message="got empty parameter set">a.py:9</skipped></testcase>
<testcase name="four"/>
</testsuite></testsuites>
"""


def test_skips_are_counted_by_reason(tmp_path: Path) -> None:
    report = tmp_path / "pytest.xml"
    report.write_text(_REPORT, "utf-8")

    assert counts.of_junit(report) == counts.Counts(passed=1, skipped=3)
    assert counts.skips(report) == {"there is no Chromium here": 2, "got empty parameter set": 1}


def test_each_reason_is_a_line_the_most_frequent_first_and_a_whole_part_too() -> None:
    some = Counter({"got empty parameter set": 1, "there is no Chromium here": 2})
    outcomes = [
        run.Outcome(parts.lint(), counts.Counts(passed=5), 1, Counter()),
        run.Outcome(parts.pytest("drills", ("drills",)), counts.Counts(1, 0, 3), 1, some),
        run.Outcome(parts.molecule("sentinel", "12"), counts.Counts(skipped=1), 0, Counter({"all of it: no ssh": 1})),
    ]

    assert run._skipped(outcomes) == [
        "skipped: 2 of drills: there is no Chromium here",
        "skipped: 1 of drills: got empty parameter set",
        "skipped: 1 of sentinel-12: all of it: no ssh",
    ]
