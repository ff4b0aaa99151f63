"""What a description promises, read from its YAML alone and not with the product's own reader.

Everything that the tests on the hosts expect comes from here. Only the conventions of the kit are repeated: how files
and units are named, and which defaults hold where the description says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_FROM_FILE = re.compile(r"lookup\(\s*'password'\s*,\s*inventory_dir\s*~\s*'/([^' ]+)")
_UNITS = {"b": 1, "k": 1000, "kb": 1024, "m": 10**6, "mb": 1024**2, "g": 10**9, "gb": 1024**3}
_SECONDARY = "127.0.0.1"


@dataclass(frozen=True)
class Machine:
    """One host of the description, with the Ansible variables that reach it."""

    name: str
    address: str
    variables: Mapping[str, Any] = field(compare=False)


@dataclass(frozen=True)
class Process:
    """One server or Sentinel that must run; ``settings`` are the description's own, in the words of CONFIG GET."""

    name: str
    kind: str
    service: str
    machine: Machine
    port: int
    listens: frozenset[str]
    password: str
    settings: Mapping[str, str] = field(compare=False)
    engine: str

    @property
    def id(self) -> str:
        """Its name in the whole deployment, as the product writes it."""
        return f"{self.name}@{self.machine.name}"

    @property
    def unit(self) -> str:
        """Its systemd unit."""
        return f"{self.engine}-{self.name}.service"

    @property
    def configuration(self) -> str:
        """Its configuration file."""
        file = "sentinel.conf" if self.kind == "sentinel" else f"{self.engine}.conf"
        return f"/etc/{self.engine}/{self.name}/{file}"

    @property
    def data(self) -> str:
        """Its data folder."""
        return f"/var/lib/{self.engine}/{self.name}"

    @property
    def log(self) -> str:
        """Its log file."""
        stem = self.name if self.kind == "sentinel" else f"server-{self.name}"
        return f"/var/log/{self.engine}/{self.engine}-{stem}.log"


@dataclass(frozen=True)
class Service:
    """One service: its servers, the first of which starts as master, and whether the Sentinels watch it."""

    name: str
    servers: tuple[Process, ...]
    watched: bool
    quorum: int
    timings: Mapping[str, str] = field(compare=False)


class Expected:
    """A whole description, as expectations."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._folder = file.parent
        # BaseLoader leaves every scalar a text: `appendonly: yes` is "yes", as Redis says it.
        self._described: dict[str, Any] = yaml.load(file.read_text(), Loader=yaml.BaseLoader)
        self.engine = self._described.get("engine", "redis")
        self.machines = {name: _machine(name, value) for name, value in self._described["machines"].items()}
        self.services = tuple(self._service(name) for name in self._described["services"])
        self.sentinels = tuple(self._sentinels())

    @property
    def processes(self) -> tuple[Process, ...]:
        """Every process that must run."""
        return tuple(server for service in self.services for server in service.servers) + self.sentinels

    @property
    def passwords(self) -> tuple[str, ...]:
        """Every password of the deployment, each once."""
        return tuple(dict.fromkeys(process.password for process in self.processes if process.password))

    def _service(self, name: str) -> Service:
        described = self._described["services"][name]
        sentinel = self._described.get("sentinel", {})
        own = described.get("sentinel", {})
        watched = bool(sentinel) and not isinstance(own, str)
        own = {} if isinstance(own, str) else own
        quorum = own.get("quorum", sentinel.get("quorum", len(sentinel.get("machines", ())) // 2 + 1))
        timings = {**sentinel.get("config", {}), **{key: value for key, value in own.items() if "-" in key}}
        servers = tuple(self._server(name, place) for place in [described["master"], *described.get("replicas", [])])
        return Service(name, servers, watched, int(quorum), {key: str(value) for key, value in timings.items()})

    def _server(self, service: str, place: str) -> Process:
        described = self._described["services"][service]
        machine, _, port = place.partition(":")
        settings = {name: setting(value) for name, value in described.get("config", {}).items()}
        return self._process("server", service, machine, int(port or described.get("port", 6379)), described, settings)

    def _sentinels(self) -> Iterator[Process]:
        described: dict[str, Any] = self._described.get("sentinel", {})
        for machine in described.get("machines", ()):
            yield self._process("sentinel", "sentinel", machine, int(described.get("port", 26379)), described, {})

    def _process(
        self, kind: str, service: str, machine: str, port: int, described: dict[str, Any], settings: dict[str, str]
    ) -> Process:
        host = self.machines[machine]
        bind = described.get("bind", [host.address, _SECONDARY])
        listens = frozenset(host.address if "{{" in word else word for word in bind)
        password = secret(described.get("password", ""), self._folder)
        return Process(f"{service}-{port}", kind, service, host, port, listens, password, settings, self.engine)


def setting(value: str | list[str]) -> str:
    """Return a described value as CONFIG GET says it: lists joined, sizes in bytes."""
    words = " ".join([value] if isinstance(value, str) else value).split()
    return " ".join(_plain(word) for word in words)


def _plain(word: str) -> str:
    size = re.fullmatch(r"(\d+)([kmg]?b|[kmg])", word.lower())
    return str(int(size[1]) * _UNITS[size[2]]) if size else word


def secret(text: str, folder: Path) -> str:
    """Return a password of the description: plain, or from the generated file beside it.

    Empty while that file does not exist, which is before the first deployment.
    """
    if lookup := _FROM_FILE.search(text):
        file = folder / lookup[1]
        return file.read_text().strip() if file.exists() else ""
    return text


def _machine(name: str, value: dict[str, Any]) -> Machine:
    return Machine(name, value["address"], {key: item for key, item in value.items() if key.startswith("ansible_")})
