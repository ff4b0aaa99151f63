"""The command ``redis-fleet drill`` on a deployment of the tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from redis_fleet.cli.drill_environment import Stage
from redis_fleet.cli.main import app
from redis_fleet.drills.context import Deployment


def drilled(monkeypatch: pytest.MonkeyPatch, deployment: Deployment, name: str) -> tuple[int, Any]:
    """Run ``redis-fleet drill NAME --json``, which finds this deployment; returns its exit code and what it printed."""
    monkeypatch.setattr(Stage, "deployment", lambda *_, **__: deployment)
    done = CliRunner().invoke(app, ["drill", name, "--json"])
    return done.exit_code, json.loads(done.stdout)
