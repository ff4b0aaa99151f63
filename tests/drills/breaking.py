"""Runs a drill on real servers, also on ones that a script around the program breaks on purpose."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest

from redis_fleet.drills.context import Deployment, Place
from redis_fleet.drills.drill import find, perform
from redis_fleet.drills.report import DrillReport, Step
from tests.harness.engines import Binary, available
from tests.harness.live.processes import server_binary

_VERSIONS = ("6.0.", "6.2.14", "7.0.", "8.0.2", "8.1.1", "9.1.2")
_SCRIPT = """#!/bin/sh
{before}
exec {server} "$@" {options}
"""


def engines() -> list[Binary]:
    """Return one binary of each version that the drills are for."""
    return [each for version in _VERSIONS for each in available() if each.version.startswith(version)]


def performed(name: str, server: str | Path = "") -> DrillReport:
    """Run a drill that brings its own servers; fails when it leaves a file or a process behind."""
    drill = find(name)
    assert drill

    def nothing() -> Deployment:
        raise AssertionError("it wants a deployment")

    with tempfile.TemporaryDirectory() as folder, patch.object(tempfile, "tempdir", folder):
        report = perform(drill, Place(str(server or server_binary()), nothing), _ignore)
        assert list(Path(folder).iterdir()) == []
        assert not _processes(folder)
    return report


def _ignore(step: Step) -> None:
    """Nobody looks at the steps while they come."""


def _processes(folder: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and folder in (entry / "cmdline").read_text(errors="replace"):
                found.append(entry.name)
        except OSError:
            continue
    return found


def broken(folder: Path, options: str = "", before: str = "") -> Path:
    """Return a server that is started with more options, after a shell command in its data folder."""
    path = folder / "redis-server"
    path.write_text(_SCRIPT.format(server=server_binary(), options=options, before=before))
    path.chmod(0o755)
    return path


def differs(report: DrillReport, *words: str) -> None:
    """Assert that a drill said no, and that its problems name all of this."""
    assert not report.ok
    said = "\n".join(report.problems)
    for word in words:
        assert word in said, said


per_engine = pytest.mark.parametrize(
    "binary", [pytest.param(each, marks=pytest.mark.long) for each in engines()], ids=str
)
