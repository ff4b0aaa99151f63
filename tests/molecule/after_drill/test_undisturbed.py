"""Deploying again after a failover leaves every process, every role and the Sentinels' memory as they were."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.molecule.expected import Process, Service
from tests.molecule.witness import record


@pytest.fixture(scope="module")
def after_drill() -> dict[str, Any]:
    """What was recorded when the drill was over."""
    found: dict[str, Any] = json.loads(Path(os.environ["REDIS_FLEET_WITNESS"]).read_text())
    return found


def test_process_is_as_the_drill_left_it(process: Process, after_drill: dict[str, Any]) -> None:
    assert record(process) == after_drill[process.id]


def test_another_machine_is_the_master(service: Service, after_drill: dict[str, Any]) -> None:
    described, *others = [after_drill[server.id]["role"] for server in service.servers]
    assert described == "slave"
    assert others.count("master") == 1
