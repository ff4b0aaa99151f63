"""The Linux distributions: one variables file each below roles/redis_machine/vars, read here and by the role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from redis_fleet.model import Fleet
from redis_fleet.project import ROLES


@dataclass(frozen=True)
class Packages:
    """What a distribution offers of an engine: the version, and the packages of server and Sentinel."""

    version: str
    server: str
    sentinel: str


def platform(system: Mapping[str, str]) -> str:
    """Return the name of a platform (``debian-12``) from its os-release id and version."""
    return f"{system.get('id', '?')}-{system.get('version', '?')}"


def known() -> list[str]:
    """Return the platforms that redis-fleet knows."""
    return sorted(_tables())


def offered(name: str, engine: str) -> Packages | None:
    """Return what a platform offers of an engine; None when it is unknown or offers nothing."""
    return _tables().get(name, {}).get(engine)


def packages(engine: str) -> list[str]:
    """Return every package name that any platform uses for an engine."""
    found = [table[engine] for table in _tables().values() if engine in table]
    return sorted({name for each in found for name in (each.server, each.sentinel)})


def default_units(engine: str) -> list[str]:
    """Return the units that the packages bring."""
    return [f"{name}.service" for name in packages(engine)]


def unwanted_units(fleet: Fleet, machine: str) -> list[str]:
    """Return the units that the packages bring and that must never start on a machine: all that were not adopted."""
    if fleet.keeps_setup(machine):
        return []
    adopted = {process.unit for process in fleet.on(machine) if process.adopted}
    return [unit for unit in default_units(fleet.engine) if unit not in adopted]


def masks(units: Iterable[str]) -> list[str]:
    """Return the links that mask units."""
    return [f"/etc/systemd/system/{unit}" for unit in units]


@cache
def _tables() -> dict[str, dict[str, Packages]]:
    files = (ROLES / "redis_machine" / "vars").glob("*.yml")
    return {file.stem: _engines(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files}


def _engines(content: dict[str, Any]) -> dict[str, Packages]:
    return {name: Packages(**entry) for name, entry in content["redis_machine_engines"].items()}
