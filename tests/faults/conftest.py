"""A deployment of three machines whose networks can be cut. Not part of the quick tests: see tests/harness/parts.py."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.hosts import description, hosts
from tests.harness.hosts.deployment import Deployment
from tests.harness.hosts.engine import ROOT

_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")
_NAME = os.environ.get("REDIS_FLEET_HOSTS", f"faults-{_RELEASE}")
_QUICKER = {"down-after-milliseconds: 5000": "down-after-milliseconds: 3000"}


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Three machines with a master, two replicas and three Sentinels."""
    file: Path = tmp_path_factory.mktemp("faults") / "shop.redis.yml"
    sample = ROOT / "inventory" / "sentinel.redis.yml"
    running = hosts.up(_NAME, description.machine_names(sample.read_text()), _RELEASE)
    try:
        description.describe(sample, file, running)
        made = Deployment(_NAME, file)
        for old, new in _QUICKER.items():
            made.edit(old, new)
        made.deploy()
        yield made
    finally:
        hosts.down(_NAME)


@pytest.fixture(autouse=True)
def healthy(deployment: Deployment) -> Iterator[None]:
    """Every test begins with a deployment as it is described, with nothing to do, and leaves it so."""
    text = deployment.file.read_text(encoding="utf-8")
    yield
    deployment.file.write_text(text, encoding="utf-8")
    deployment.deploy()
    deployment.settled()
