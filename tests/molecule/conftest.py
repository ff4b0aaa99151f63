"""Gives the tests on the hosts their subjects: each is called once for every machine, process or service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.molecule.expected import Expected

_FILE = os.environ.get("REDIS_FLEET_DESCRIPTION", "")

if not _FILE:  # molecule names the description; a plain pytest run has no hosts to look at
    collect_ignore_glob = ["*"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Call a test for every subject of the kind that it names."""
    expected = Expected(Path(_FILE))
    subjects: dict[str, dict[str, Any]] = {
        "machine": {machine.name: machine for machine in expected.machines.values()},
        "process": {process.id: process for process in expected.processes},
        "server": {process.id: process for process in expected.processes if process.kind == "server"},
        "sentinel": {process.id: process for process in expected.sentinels},
        "service": {service.name: service for service in expected.services},
    }
    for name, found in subjects.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, list(found.values()), ids=list(found))


@pytest.fixture(scope="session")
def expected() -> Expected:
    """Everything that the description promises."""
    return Expected(Path(_FILE))
