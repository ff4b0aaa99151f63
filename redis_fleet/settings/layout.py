"""Where a process's files and ports are: on a machine with systemd, or in a sandbox folder on loopback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.model import Paths
from redis_fleet.platform.platform import Engine


class Files(Protocol):
    """What a kind of process calls its files: patterns in which ``{engine}`` and ``{name}`` stand for themselves."""

    @property
    def configuration_file(self) -> str:
        """The configuration file."""

    @property
    def log_file(self) -> str:
        """The log, on a machine of its own."""


class Layout(Protocol):
    """Answers where things are; ``supervised`` says whether systemd runs the processes."""

    @property
    def supervised(self) -> bool:
        """Whether systemd runs the processes."""

    @property
    def root(self) -> str:
        """The folder that everything is below; empty on machines."""

    def endpoint(self, machine: str, address: str, port: int) -> Endpoint:
        """Return where the process that the description puts at machine:port listens; a port of 0 is none."""

    def paths(self, engine: Engine, files: Files, machine: str, name: str) -> Paths:
        """Return the files and folders of a process (``name`` such as ``orders-6379``)."""


class SystemLayout:
    """A machine of its own: /etc, /var/lib, /var/log, /run and a unit for each process.

    Logs are named so that the packages' own logrotate patterns (``redis-server*.log``, ``redis-sentinel*.log``) match.
    """

    supervised = True
    root = ""

    def endpoint(self, machine: str, address: str, port: int) -> Endpoint:  # noqa: ARG002
        """Return the machine's own address and the described port."""
        return Endpoint(address, port)

    def paths(self, engine: Engine, files: Files, machine: str, name: str) -> Paths:  # noqa: ARG002
        """Return absolute system paths."""
        unit = f"{engine.name}-{name}"
        log = files.log_file.format(engine=engine.name, name=name)
        file = files.configuration_file.format(engine=engine.name)
        return Paths(
            configuration=f"{engine.configuration}/{name}/{file}",
            data=f"{engine.data}/{name}",
            log=f"{engine.log}/{log}",
            pid=f"{engine.run}/{unit}/{engine.name}.pid",
            unit=f"/etc/systemd/system/{unit}.service",
        )


@dataclass(frozen=True)
class SandboxLayout:
    """Plain processes of one user: everything below ``root``, ports mapped to free loopback ones."""

    root: str
    ports: Mapping[str, int] = field(default_factory=dict)
    supervised: bool = False

    def endpoint(self, machine: str, address: str, port: int) -> Endpoint:  # noqa: ARG002
        """Return the loopback port that stands for machine:port."""
        if not port:
            return Endpoint("127.0.0.1", 0)
        return Endpoint("127.0.0.1", self.ports[f"{machine}:{port}"])

    def paths(self, engine: Engine, files: Files, machine: str, name: str) -> Paths:
        """Return paths below ``root``/machine/name."""
        home = f"{self.root}/{machine}/{name}"
        file = files.configuration_file.format(engine=engine.name)
        return Paths(f"{home}/{file}", f"{home}/data", f"{home}/{engine.name}.log", f"{home}/{engine.name}.pid")
