"""How many checks passed, failed and were left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Counts:
    """Counts that add up; an error counts as failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_junit(report: Path) -> Counts:
    """Read the counts of a JUnit file as pytest writes it; our own file, so the plain parser will do."""
    total = Counts()
    for suite in ElementTree.parse(report).iter("testsuite"):
        tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        total += Counts(max(0, tests - skipped - failed), failed, skipped)
    return total


def skips(report: Path) -> Counter[str]:
    """Return the reasons of what a JUnit file says was skipped, and how often each was given."""
    return Counter(each.get("message") or "without a reason" for each in ElementTree.parse(report).iter("skipped"))


def of_commands(succeeded: list[bool]) -> Counts:
    """Count each command as one check."""
    return Counts(passed=sum(succeeded), failed=len(succeeded) - sum(succeeded))
