"""What somebody wrote into the YAML, small enough to draw and edit at random; always through the real loader."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet

MACHINES = ("m1", "m2", "m3", "m4", "m5")
PORTS = {"orders": 6379, "cache": 6380}


@dataclass(frozen=True)
class Wanted:
    """One service: where its first master and its replicas are, its password and directives."""

    master: str
    replicas: tuple[str, ...] = ()
    password: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def machines(self) -> tuple[str, ...]:
        """All machines it is on."""
        return (self.master, *self.replicas)

    def having(self, **config: Any) -> Wanted:
        """Return it with directives added; None takes one out."""
        both = {**self.config, **{name.replace("_", "-"): value for name, value in config.items()}}
        return replace(self, config={name: value for name, value in both.items() if value is not None})


@dataclass(frozen=True)
class Spec:
    """A description."""

    services: Mapping[str, Wanted]
    sentinels: tuple[str, ...] = ()
    quorum: int = 0
    password: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    machines: tuple[str, ...] = MACHINES

    def fleet(self) -> Fleet:
        """Return the fleet; raises InvalidDescriptionError."""
        return _loaded(yaml.safe_dump(self._document(), sort_keys=False))

    def serving(self, name: str, wanted: Wanted | None) -> Spec:
        """Return it with another service of that name, or without it."""
        rest = {each: found for each, found in self.services.items() if each != name}
        return replace(self, services={**rest, name: wanted} if wanted else rest)

    def used(self) -> set[str]:
        """Return the machines with a process."""
        return {name for each in self.services.values() for name in each.machines} | set(self.sentinels)

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "plugin": "redis_fleet",
            "name": "simulated",
            "machines": {name: {"address": f"10.0.0.{name[1:]}"} for name in self.machines},
            "services": {name: _service(PORTS[name], each) for name, each in self.services.items()},
        }
        if self.sentinels:
            sentinel = {"machines": list(self.sentinels), "quorum": self.quorum, "password": self.password}
            kept = {name: value for name, value in sentinel.items() if value}
            kept |= {} if self.password else {"open-to-network": "nobody else is in this network"}
            document["sentinel"] = {**kept, "config": dict(self.config)} if self.config else kept
        return document


def _service(port: int, wanted: Wanted) -> dict[str, Any]:
    found: dict[str, Any] = {"master": wanted.master, "port": port, "config": dict(wanted.config)}
    if wanted.replicas:
        found["replicas"] = list(wanted.replicas)
    if wanted.password:
        found["password"] = wanted.password
    else:
        found["open-to-network"] = "nobody else is in this network"
    return {name: value for name, value in found.items() if value != {}}


@lru_cache(maxsize=4096)
def _loaded(text: str) -> Fleet:
    number, path = tempfile.mkstemp(suffix=".redis.yml")
    os.close(number)
    try:
        Path(path).write_text(text, encoding="utf-8")
        return load_fleet(path)
    finally:
        Path(path).unlink()
