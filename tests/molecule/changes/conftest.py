"""The deployment that these tests change, one after the other and in their order in the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.harness.hosts.deployment import Deployment


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    """What the converge step deployed."""
    return Deployment(os.environ["REDIS_FLEET_HOSTS"], Path(os.environ["REDIS_FLEET_DESCRIPTION"]))


@pytest.fixture(scope="session")
def redis6() -> bool:
    """Whether the machines run Redis 6.0: fewer things can be changed while it runs."""
    return os.environ.get("REDIS_FLEET_IMAGE", "12") == "11"
