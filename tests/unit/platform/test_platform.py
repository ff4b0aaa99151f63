"""Distributions: each is one variables file, and a machine is only asked for what its own one has."""

from __future__ import annotations

import re

import pytest

from redis_fleet import platform
from redis_fleet.agent.host.packages.providers import PROVIDERS
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.project import ROOT
from redis_fleet.settings.layout import SystemLayout

PACKAGE = ROOT / "redis_fleet"
DEBIAN = {"id": "debian", "version": "12"}
OTHER = {
    "redis_machine_platform": {"family": "debian", "libraries": ["/usr/lib64"]},
    "redis_machine_engines": {"redis": {"version": "7.2.7", "server": "redis", "sentinel": "redis"}},
}
# A drill says by which command its own database is installed where the drill runs, which is no machine of a deployment.
OWN_NEEDS = (PACKAGE / "drills" / "mariadb.py",)
PROVIDER_FILES = [PACKAGE / "agent" / "host" / "packages" / f"{name}.py" for name in PROVIDERS]
REGISTRY = PACKAGE / "agent" / "host" / "packages" / "providers.py"
FILES = sorted({*PACKAGE.rglob("*.py")} - {*OWN_NEEDS, *PROVIDER_FILES, REGISTRY})


@pytest.fixture
def fleet() -> Fleet:
    """A fleet with Sentinels."""
    return load_fleet(str(ROOT / "inventory" / "sentinel.redis.yml"), SystemLayout())


@pytest.fixture
def another(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more distribution, whose one package is called as no unit of Debian's is meant to be masked."""
    known = {**platform._platforms(), "other-1": platform._platform("other-1", OTHER)}
    monkeypatch.setattr(platform, "_platforms", lambda: known)


@pytest.mark.usefixtures("another")
def test_a_machine_masks_no_unit_of_another_distribution(fleet: Fleet) -> None:
    machine = next(iter(fleet.machines))
    mine = ["redis-sentinel.service", "redis-server.service"]
    assert platform.unwanted_units(fleet, machine, DEBIAN) == mine
    assert set(platform.unwanted_units(fleet, machine, {"id": "other", "version": "1"})) == {"redis.service"}
    assert platform.unwanted_units(fleet, machine, {"id": "strange", "version": "1"}) == []
    assert platform.possible_units(fleet, machine) == sorted([*mine, "redis.service"])


@pytest.mark.usefixtures("another")
def test_a_file_says_what_differs_from_its_family() -> None:
    other, debian = platform.platform("other-1"), platform.platform("debian-12")
    assert other is not None
    assert debian is not None
    assert other.libraries == ("/usr/lib64",)
    assert debian.libraries == ("/usr/lib", "/lib")
    assert other.engines["redis"].data == debian.engines["redis"].data == "/var/lib/redis"
    assert other.provider is debian.provider


def test_every_file_of_variables_is_a_platform_that_can_be_read() -> None:
    files = [file for file in (ROOT / "roles" / "redis_machine" / "vars").glob("*.yml") if "family" not in file.stem]
    assert sorted(file.stem for file in files) == platform.known()
    for name in platform.known():
        found = platform.platform(name)
        assert found is not None
        for engine in found.engines.values():
            assert set(engine.packages) == set(engine.binaries), name


def test_only_a_provider_speaks_of_its_program() -> None:
    program = re.compile(r"\b(?:apt(?:-get|-cache)?|dpkg(?:-query)?)\b")
    assert FILES
    assert not [str(file) for file in FILES if program.search(file.read_text(encoding="utf-8"))]
