"""One distribution as a value: its family, how packages get there, and where an engine's files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis_fleet.agent.host.packages.interface import Provider


@dataclass(frozen=True)
class Engine:
    """One engine as a distribution packages it; paths are absolute, ``user`` is also the group.

    ``packages`` and ``binaries`` are by slot (``server``), of which a kind of process names its own. ``program`` is the
    one file that the binaries are links to; ``units`` are those that the packages bring, which must never start.
    """

    name: str
    version: str
    user: str
    packages: Mapping[str, str] = field(hash=False)
    binaries: Mapping[str, str] = field(hash=False)
    units: tuple[str, ...]
    program: str
    configuration: str
    data: str
    log: str
    run: str

    @classmethod
    def read(cls, name: str, files: Mapping[str, Any], entry: Mapping[str, Any]) -> Engine:
        """Make it from a family's files, in which ``{engine}`` and ``{package}`` stand for names, and its own entry."""
        wanted = {**files, **entry.get("files", {})}
        own = {slot: text for slot, text in entry.items() if slot not in ("version", "files")}
        own = {slot: _text(text, name) for slot, text in wanted["packages"].items()} | own
        return cls(
            name=name,
            version=entry["version"],
            packages=own,
            binaries={slot: _text(text, name) for slot, text in wanted["binaries"].items()},
            units=tuple(wanted["unit"].format(engine=name, package=package) for package in own.values()),
            **{each: _text(wanted[each], name) for each in _TEXTS},
        )


_TEXTS = ("user", "program", "configuration", "data", "log", "run")


def _text(text: str, engine: str) -> str:
    return text.format(engine=engine)


@dataclass(frozen=True)
class Platform:
    """One distribution and version.

    ``python`` is the oldest that the shipped code runs on there; what is executed lies in ``libraries`` and
    ``programs``.
    """

    name: str
    family: str
    provider: Provider
    python: tuple[int, ...]
    libraries: tuple[str, ...]
    programs: tuple[str, ...]
    engines: Mapping[str, Engine] = field(hash=False)
