"""What rules look at: a description and the fleet that was placed from it, looked up without searching."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from redis_fleet import kinds
from redis_fleet.catalogue import one_word, table
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path
from redis_fleet.model import Fleet, Process, Service, Setting


class Given(NamedTuple):
    """A directive that the file gives a process below ``config``; ``service`` is empty for a Sentinel."""

    service: Service | None
    process: Process
    setting: Setting

    @property
    def word(self) -> str:
        """The first word of its value, in lower case."""
        return self.setting.word.lower()


class Subject:
    """A description and its fleet. Cheap to ask: every rule is applied to every service of every file."""

    def __init__(self, description: Description, fleet: Fleet) -> None:
        """Sort the settings by name once."""
        self.description = description
        self.fleet = fleet
        self.deployment = description.deployment
        self.positions = description.document.positions
        self.versions = _versions(self.deployment.engine, self.deployment.version)
        self._own: dict[int, Mapping[str, Setting]] = {}
        self._given: dict[str, list[Given]] = {}
        self._sentinels: dict[str, list[Given]] = {}
        for service in fleet.services:
            for process in service.processes:
                self._note(self._given, service, process)
        for process in fleet.sentinels:
            self._note(self._sentinels, None, process)

    def _note(self, given: dict[str, list[Given]], service: Service | None, process: Process) -> None:
        self._own[id(process)] = {setting.name: setting for setting in process.settings}
        # A Sentinel has a setting of one name for each service that it watches.
        for setting in process.settings:
            if setting.position is not None:
                given.setdefault(setting.name, []).append(Given(service, process, setting))

    @property
    def services(self) -> tuple[Service, ...]:
        """All services."""
        return self.fleet.services

    @cached_property
    def runs(self) -> str:
        """What would run, in words: ``redis 6.0``, or ``redis`` where the file names no version."""
        return " ".join(filter(None, (self.deployment.engine, self.deployment.version)))

    def given(self, *names: str) -> Iterator[Given]:
        """Yield every setting of these names that the file gives a server."""
        return (each for name in names for each in self._given.get(name, ()))

    def given_to_sentinels(self, *names: str) -> Iterator[Given]:
        """Yield every setting of these names (``sentinel announce-ip``, ``dir``) that the file gives a Sentinel."""
        return (each for name in names for each in self._sentinels.get(name, ()))

    def setting(self, process: Process, name: str) -> Setting | None:
        """Return a setting of a process, whoever gave it."""
        return self._own[id(process)].get(name)

    def value(self, process: Process, name: str) -> str:
        """Return a directive's first word in lower case, for a process: as given, else the default.

        Empty where it has none, or where the versions that may run differ about it.
        """
        setting = self._own[id(process)].get(name)
        return setting.word.lower() if setting else self.default(name)

    def number(self, process: Process, name: str) -> int | None:
        """Return a number, or a memory size in bytes; None where it is no such thing."""
        try:
            return one_word.size(self.value(process, name))
        except ValueError:
            return None

    def default(self, name: str) -> str:
        """Return a directive's default where all versions that may run agree on it."""
        return _default(self.deployment.engine, self.versions, name)

    def path(self, given: Given) -> Path:
        """Return where a setting stands, under the name that the file gives it."""
        return self._path(given.process, given.setting)

    def place(self, process: Process, name: str) -> Path | None:
        """Return where the file gives a process a directive; None where it does not."""
        setting = self.setting(process, name)
        return self._path(process, setting) if setting and setting.position else None

    def _path(self, process: Process, setting: Setting) -> Path:
        section = kinds.of(process).section(process)
        described = self.deployment.services.get(process.service) or self.deployment.sentinel
        for name in described.config if described else ():
            if self.positions.get((*section, "config", name)) == setting.position:
                return (*section, "config", name)
        for name, service in self.deployment.services.items() if not process.service else ():
            for option in service.sentinel.config:
                path: Path = ("services", name, "sentinel", "config", option)
                if self.positions.get(path) == setting.position:
                    return path
        return (*section, "config")

    def watch_path(self, service: Service, key: str) -> Path:
        """Return where a timing of the Sentinels stands that holds for a service; its own section where nowhere."""
        own: Path = ("services", service.name, "sentinel", key)
        if own in self.positions:
            return own
        config = self.deployment.sentinel.config if self.deployment.sentinel else {}
        common = next((name for name in config if name.lower() == key), None)
        return ("sentinel", "config", common) if common else ("services", service.name)

    def adopted(self, service: Service) -> bool:
        """Say whether somebody else set up the processes of a service."""
        return any(process.adopted for process in service.processes)


def _versions(engine: str, version: str | None) -> tuple[str, ...]:
    return (table.nearest_version(engine, version),) if version else table.versions(engine)


_DEFAULTS: dict[tuple[str, tuple[str, ...], str], str] = {}


def _default(engine: str, versions: tuple[str, ...], name: str) -> str:
    key = (engine, versions, name)
    if key not in _DEFAULTS:
        found = {_default_of(engine, version, name) for version in versions}
        _DEFAULTS[key] = found.pop() if len(found) == 1 else ""
    return _DEFAULTS[key]


def _default_of(engine: str, version: str, name: str) -> str:
    if name.startswith("sentinel "):
        statement = sentinel_table.find(engine, version, name.removeprefix("sentinel "))
        return (statement.value.default or "") if statement else ""
    directive = table.catalogue(engine, version).find(name)
    return (directive.default or "") if directive else ""
