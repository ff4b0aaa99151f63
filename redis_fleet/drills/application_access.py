"""How an application finds the master: by redis-py and the Sentinels, not by an address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from redis_fleet.agent.messages.service import Instance, ServiceAccess
from redis_fleet.agent.protocol.resp import Connection
from redis_fleet.agent.replication.view import connect
from redis_fleet.agent.replication.ways import way_to
from redis_fleet.agent.secret import Secret
from redis_fleet.drills.context import Deployment, NotHereError

if TYPE_CHECKING:
    import redis

Place = tuple[str, int]
_TIMEOUT = 3.0
_GONE_MS = 5000
_HOW = "pip install 'redis>=5,<9'"


@dataclass(frozen=True)
class Entrance:
    """What an application is told of a service: its Sentinels as (address, port), its name there, the passwords.

    ``moved`` are the servers that announce another address, with the one by which they are reached from here.
    """

    sentinels: tuple[Place, ...]
    monitor: str
    password: str | None = field(repr=False)
    sentinel_password: str | None = field(repr=False)
    moved: tuple[tuple[Place, Place], ...] = ()
    user: str = ""
    sentinel_user: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values, passwords in clear: only for another process of ours, through a pipe."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Entrance:
        """Make it of what ``to_dict`` returned."""
        moved = tuple((_place(announced), _place(way)) for announced, way in values["moved"])
        sentinels = tuple(map(_place, values["sentinels"]))
        passwords = values["password"], values["sentinel_password"]
        return cls(sentinels, values["monitor"], *passwords, moved, values["user"], values["sentinel_user"])


def _place(values: Sequence[Any]) -> Place:
    address, port = values
    return str(address), int(port)


@dataclass
class Person:
    """One of several clients of the same server, with a connection of its own."""

    name: str
    connection: Connection = field(repr=False)

    def call(self, *words: object) -> Any:
        """Send one command; raises ReplyError or OSError."""
        return self.connection.call(*words)


def entrance_of(target: ServiceAccess) -> Entrance:
    """Return the entrance of a service; raises NotHereError when no Sentinel watches it, or with TLS."""
    if not target.monitor:
        raise NotHereError(f"no Sentinel watches {target.service}, and its clients ask Sentinels for the master here")
    if target.tls:
        raise NotHereError(f"{target.service} speaks TLS, and the application of this drill does not yet")
    ways = tuple((way.address, way.port) for way in map(way_to, target.sentinels))
    announced = [(each.announced, way_to(each)) for each in target.members if each.announces]
    moved = tuple(((place.address, place.port), (way.address, way.port)) for place, way in announced)
    password = None if target.open else target.password
    passwords = _clear(password), _clear(target.sentinel_password)
    return Entrance(ways, target.monitor, *passwords, moved, target.user, target.sentinel_user)


def _clear(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None


def persons(target: ServiceAccess, process: str, names: str) -> list[Person]:
    """Return a client of one process for each letter of ``names``."""
    node: Instance = next(each for each in target.members if each.id == process)
    return [Person(f"client {name}", connect(target, node, 10.0)) for name in names]


def remove(deployment: Deployment, key: str) -> None:
    """Remove a key, and wait until the replicas have removed it too.

    One that was just restarted hears of it up to a second later (Redis 6.0). Raises NoMasterError, ReplyError, OSError.
    """
    master = deployment.master()
    master.call("DEL", key)
    master.call("WAIT", len(deployment.replicas()), _GONE_MS)


def need_redis_py() -> None:
    """Raise NotHereError when redis-py is not installed."""
    try:
        import_module("redis.sentinel")
    except ImportError:
        raise NotHereError(f"the Python package redis is not here; {_HOW}") from None


def sentinel_of(entrance: Entrance) -> Any:
    """Return redis-py's ``Sentinel``, its view of the Sentinels."""
    own = {"username": entrance.sentinel_user or None, "password": entrance.sentinel_password, **_patience()}
    # By name: an optional package, whose own types do not cover this.
    sentinel = import_module("redis.sentinel").Sentinel(list(entrance.sentinels), sentinel_kwargs=own, **_patience())
    if entrance.moved:
        sentinel.discover_master = _moved(sentinel.discover_master, dict(entrance.moved))
    return sentinel


def _moved(discover: Callable[[str], Place], ways: Mapping[Place, Place]) -> Callable[[str], Place]:
    """Return a search for the master that ends where it is reached from here."""

    def found(name: str) -> Place:
        named = discover(name)
        return ways.get(named, named)

    return found


def client_of(entrance: Entrance) -> redis.Redis:
    """Return a client that asks the Sentinels for the master whenever it connects; it is for one thread.

    It has one connection: WAIT speaks of what was written over the connection that it is sent on.
    """
    client: redis.Redis = sentinel_of(entrance).master_for(
        entrance.monitor, username=entrance.user or None, password=entrance.password, max_connections=1
    )
    return client


def _patience() -> dict[str, Any]:
    """Return how long redis-py waits, and that it tries nothing twice.

    When it tries a command again it connects to the same address again, without asking the Sentinels
    (https://github.com/redis/redis-py/issues/3874). That may be an old master which has just come back and does not
    know yet that it was replaced: a lock granted there is worth nothing. The next command asks them.
    """
    retry = import_module("redis.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
    return {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT, "retry": retry}
