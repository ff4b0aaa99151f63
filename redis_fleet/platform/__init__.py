"""The Linux distributions: one variables file each below roles/redis_machine/vars.

What a machine runs is known once it was looked at; until then an engine is placed as ``default`` has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from redis_fleet import safe_yaml
from redis_fleet.agent.host.packages.providers import provider
from redis_fleet.model import Fleet
from redis_fleet.platform.platform import Engine, Platform
from redis_fleet.project import ROLES

_FOLDER = ROLES / "redis_machine" / "vars"
_FAMILY = "family-"
DEFAULT_FAMILY = "debian"


def name_of(system: Mapping[str, str]) -> str:
    """Return the name of a platform (``debian-12``) from its os-release id and version."""
    return f"{system.get('id', '?')}-{system.get('version', '?')}"


def known() -> list[str]:
    """Return the platforms that redis-fleet knows."""
    return sorted(_platforms())


def platform(name: str) -> Platform | None:
    """Return a platform by name; None when it is unknown."""
    return _platforms().get(name)


def offered(name: str, engine: str) -> Engine | None:
    """Return what a platform offers of an engine; None when it is unknown or offers nothing."""
    found = platform(name)
    return found.engines.get(engine) if found else None


def engines() -> list[str]:
    """Return the engines that any platform offers."""
    return sorted({name for each in _platforms().values() for name in each.engines})


@cache
def default(engine: str) -> Platform:
    """Return the platform by which an engine is placed while its machine was not looked at; raises KeyError."""
    family = [each for each in _platforms().values() if each.family == DEFAULT_FAMILY and engine in each.engines]
    if not family:
        raise KeyError(engine)
    return family[0]


def installation(engine: str) -> Engine:
    """Return how an engine is installed on its default platform: users, binaries, folders."""
    return default(engine).engines[engine]


def packages(engine: str) -> list[str]:
    """Return every package name that any platform uses for an engine: what a machine not yet seen is asked for."""
    offers = [each.engines[engine] for each in _platforms().values() if engine in each.engines]
    return sorted({name for each in offers for name in each.packages.values()})


def possible_units(fleet: Fleet, machine: str) -> list[str]:
    """Return the units that must not start on a machine, whatever it runs: what one not yet seen is asked for."""
    offers = [each.engines[fleet.engine] for each in _platforms().values() if fleet.engine in each.engines]
    return _not_adopted(fleet, machine, sorted({unit for each in offers for unit in each.units}))


def unwanted_units(fleet: Fleet, machine: str, system: Mapping[str, str]) -> list[str]:
    """Return the units that its packages bring and that must never start on a machine: all that were not adopted.

    They are those of the distribution that the machine runs, by its os-release, and of no other.
    """
    offer = offered(name_of(system), fleet.engine)
    return _not_adopted(fleet, machine, sorted(offer.units)) if offer else []


def _not_adopted(fleet: Fleet, machine: str, units: Iterable[str]) -> list[str]:
    if fleet.keeps_setup(machine):
        return []
    adopted = {process.unit for process in fleet.on(machine) if process.adopted}
    return [unit for unit in units if unit not in adopted]


def masks(units: Iterable[str]) -> list[str]:
    """Return the links that mask units."""
    return [f"/etc/systemd/system/{unit}" for unit in units]


@cache
def _platforms() -> dict[str, Platform]:
    files = sorted(file for file in _FOLDER.glob("*.yml") if not file.stem.startswith(_FAMILY))
    return {file.stem: _platform(file.stem, _read(file)) for file in files}


@cache
def _family(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = _read(_FOLDER / f"{_FAMILY}{name}.yml")["redis_machine_family"]
    return content


def _read(file: Path) -> Any:
    return safe_yaml.read(file.read_text(encoding="utf-8"))


def _platform(name: str, content: Mapping[str, Any]) -> Platform:
    """Read one distribution: what its family has, overridden by what it says itself."""
    own: Mapping[str, Any] = content["redis_machine_platform"]
    common = {**_family(own["family"]), **own}
    return Platform(
        name=name,
        family=own["family"],
        provider=provider(common["package_provider"]),
        python=tuple(common["python"]),
        libraries=tuple(common["libraries"]),
        programs=tuple(common["programs"]),
        engines={
            engine: Engine.read(engine, common["engine_files"], entry)
            for engine, entry in content["redis_machine_engines"].items()
        },
    )
