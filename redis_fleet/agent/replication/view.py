"""What a client of Redis needs to know, and what it sees from where it stands.

A *target* is one JSON-able dict: it can be used in the controller's own process or be shipped to a machine, wherever a
real client of the service would run. It carries passwords; nothing that this module returns does.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict, TypeVar

from .. import access
from ..access import Access
from ..endpoint import Endpoint
from ..protocol.resp import Connection, ReplyError, info, pairs
from ..secret import MASK, Secret

# What talking to a sick process, or to something that is no Redis at all, can raise.
TROUBLE = (OSError, ReplyError, ValueError, LookupError)
WORKERS = 16
T = TypeVar("T")
# Redis >= 6.0 to AUTH where the default user needs no password; the only AUTH error that leaves the server usable.
OPEN_SERVER = "called without any password configured"


class Spot(TypedDict):
    """Where a process listens."""

    address: str
    port: int


class Node(TypedDict):
    """One server or Sentinel; ``id`` is its name in the whole fleet (``orders-6379@red1``)."""

    id: str
    machine: str
    address: str
    port: int


class Target(TypedDict):
    """One service and all that a client, a verification or a drill needs to reach it.

    ``monitor`` is its name in the Sentinels (None: no Sentinel watches it). ``external_master`` is a master outside the
    deployment that all members follow. ``open``: the description says that the servers want no password. The times are
    milliseconds and are the Sentinels' ``down-after-milliseconds`` and ``failover-timeout`` (0 without Sentinels).
    """

    service: str
    monitor: str | None
    quorum: int
    down_after_ms: int
    failover_timeout_ms: int
    password: str | None
    members: list[Node]
    sentinels: list[Node]
    sentinel_password: str | None
    external_master: Spot | None
    open: bool


class Peer(TypedDict):
    """A process as a Sentinel lists it: ``address:port`` and its flags (``s_down``, ``disconnected`` ...)."""

    where: str
    flags: list[str]


class SentinelView(TypedDict):
    """What one Sentinel says about the service; ``problem`` is empty when it answered, else all the rest is empty.

    ``master`` is ``address:port``; ``flags`` are the master's. ``quorum`` is the reply to CKQUORUM. ``priorities`` are
    the replicas' (by ``address:port``) as this Sentinel last read them, up to 10 s ago.
    """

    id: str
    problem: str
    master: str
    flags: list[str]
    config_epoch: int
    quorum_ok: bool
    quorum: str
    replicas: list[Peer]
    sentinels: list[Peer]
    priorities: dict[str, int]


class MemberView(TypedDict):
    """What one server says about its replication; ``problem`` is empty when it answered.

    ``role`` is ``master`` or ``replica``; ``follows`` is ``address:port``; ``link_up`` means connected and not in a
    first synchronisation; ``offset`` is its own place in the stream of writes, bytes; ``priority`` 0 is never promoted.
    ``loading``: it is still reading its data set from disk. ``heard`` says of a master how many seconds ago each of its
    replicas (``address:port``) last told it how far it is; a sound one does so every second.
    """

    id: str
    problem: str
    role: str
    follows: str
    link_up: bool
    offset: int
    priority: int
    loading: bool
    heard: dict[str, int]


class View(TypedDict):
    """Everything at one moment; ``time`` is the vantage's wall clock (seconds since 1970)."""

    time: float
    sentinels: list[SentinelView]
    members: list[MemberView]


def where(address: str, port: object) -> str:
    """Return ``address:port``, an IPv6 address in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def spot(place: Any) -> str:
    """Return ``address:port`` of a node or a spot."""
    return where(place["address"], place["port"])


def name_of(target: Target, place: str) -> str:
    """Return the id of the member at ``address:port``, or the address itself when no member is there."""
    return next((node["id"] for node in target["members"] if spot(node) == place), place)


def tell(error: Exception) -> str:
    """Return an error of a connection in the words of an operator; never carries a secret."""
    if isinstance(error, ReplyError):
        return f"it answered: {error}"
    if isinstance(error, socket.timeout):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there (connection refused)"
    return str(error.strerror or error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def connect(target: Target, node: Node, timeout: float = 2.0) -> Connection:
    """Connect to a member or a Sentinel with its password; raises OSError or ReplyError.

    A server that wants no password although the target has one is connected to all the same: that it is open is for
    the verification to say. An error reply never repeats the password.
    """
    is_sentinel = any(node["id"] == other["id"] for other in target["sentinels"])
    password = target["sentinel_password"] if is_sentinel else target["password"]
    endpoint = Endpoint(node["address"], node["port"])
    try:
        return access.connect(Access(endpoint, None if password is None else Secret(password)), timeout)
    except ReplyError as error:
        if OPEN_SERVER in str(error):
            return access.connect(Access(endpoint), timeout)
        raise ReplyError(str(error).replace(password, MASK) if password else str(error)) from None


def each(action: Callable[[Node], T], nodes: Iterable[Node]) -> list[T]:
    """Run an action on all nodes at the same time and return the results in the order of the nodes."""
    todo = list(nodes)
    if not todo:
        return []
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(todo))) as pool:
        return list(pool.map(action, todo))


def unreachable(target: Target, timeout: float = 1.0) -> list[str]:
    """Return the ids of servers and Sentinels to whose ports no TCP connection can be made from here.

    An empty list means that this is a vantage from which a client can run. ``timeout`` is in seconds for each; all are
    tried at the same time.
    """

    def attempt(node: Node) -> str:
        try:
            socket.create_connection((node["address"], node["port"]), timeout=timeout).close()
        except OSError:
            return node["id"]
        return ""

    return [name for name in each(attempt, target["members"] + target["sentinels"]) if name]


def view(target: Target, timeout: float = 1.0) -> View:
    """Ask every Sentinel and every member, all at the same time; one that is down is an entry with its problem."""
    members = each(lambda node: member_view(target, node, timeout), target["members"])
    watched = target["sentinels"] if target["monitor"] else []
    sentinels = each(lambda node: sentinel_view(target, node, timeout), watched)
    return {"time": time.time(), "sentinels": sentinels, "members": members}


def member_view(target: Target, node: Node, timeout: float = 1.0) -> MemberView:
    """Ask one server about its replication."""
    seen: MemberView = {
        "id": node["id"], "problem": "", "role": "", "follows": "", "link_up": False, "offset": -1, "priority": 0,
        "loading": False,
        "heard": {},
    }  # fmt: skip
    try:
        with connect(target, node, timeout) as connection:
            read_replication(seen, info(connection.call("INFO", "replication")))
            seen["loading"] = info(connection.call("INFO", "persistence")).get("loading", "0") != "0"
    except TROUBLE as error:
        seen["problem"] = tell(error)
    return seen


def read_replication(seen: MemberView, facts: dict[str, str]) -> MemberView:
    """Fill a member's view from INFO replication, in the words of Redis 6 - 8 and of Valkey."""
    seen["role"] = "master" if facts.get("role") in ("master", "primary") else "replica"
    seen["priority"] = int(facts.get("slave_priority", facts.get("replica_priority", 100)))
    if seen["role"] == "master":
        seen["offset"] = int(facts.get("master_repl_offset", facts.get("primary_repl_offset", -1)))
        seen["heard"] = _heard(facts)
        return seen
    host = facts.get("master_host", facts.get("primary_host", ""))
    seen["follows"] = where(host, facts.get("master_port", facts.get("primary_port", "")))
    link = facts.get("master_link_status", facts.get("primary_link_status"))
    syncing = facts.get("master_sync_in_progress", facts.get("primary_sync_in_progress", "0"))
    seen["link_up"] = link == "up" and syncing == "0"
    seen["offset"] = int(facts.get("slave_repl_offset", facts.get("replica_repl_offset", -1)))
    return seen


def _heard(facts: dict[str, str]) -> dict[str, int]:
    """Read the lines ``slave0:ip=…,port=…,state=online,offset=…,lag=…``."""
    rows = [
        text for name, text in facts.items() if name.rstrip("0123456789") in ("slave", "replica") and "lag=" in text
    ]
    found = [dict(part.split("=", 1) for part in row.split(",")) for row in rows]
    return {where(row["ip"], row["port"]): int(row["lag"]) for row in found}


def sentinel_view(target: Target, node: Node, timeout: float = 1.0) -> SentinelView:
    """Ask one Sentinel about the service; a name that it does not watch is a problem too."""
    seen: SentinelView = {
        "id": node["id"], "problem": "", "master": "", "flags": [], "config_epoch": -1,
        "quorum_ok": False, "quorum": "", "replicas": [], "sentinels": [], "priorities": {},
    }  # fmt: skip
    name = target["monitor"]
    try:
        with connect(target, node, timeout) as connection:
            master = pairs(connection.call("SENTINEL", "MASTER", name))
            seen["master"] = where(master.get("ip", ""), master.get("port", ""))
            seen["flags"] = master.get("flags", "").split(",")
            seen["config_epoch"] = int(master.get("config-epoch", -1))
            replicas = connection.call("SENTINEL", "REPLICAS", name)
            seen["replicas"], seen["priorities"] = peers(replicas), priorities(replicas)
            seen["sentinels"] = peers(connection.call("SENTINEL", "SENTINELS", name))
            seen["quorum_ok"], seen["quorum"] = check_quorum(connection, name)
    except TROUBLE as error:
        seen["problem"] = tell(error)
    return seen


def peers(reply: list[Any]) -> list[Peer]:
    """Read the list that SENTINEL REPLICAS and SENTINEL SENTINELS answer with."""
    rows = [pairs(row) for row in reply]
    return [{"where": where(row.get("ip", ""), row.get("port", "")), "flags": row["flags"].split(",")} for row in rows]


def priorities(reply: list[Any]) -> dict[str, int]:
    """Read what SENTINEL REPLICAS says of each replica's priority: ``address:port`` to number."""
    rows = [pairs(row) for row in reply]
    names = ("slave-priority", "replica-priority")
    return {
        where(row.get("ip", ""), row.get("port", "")): int(next((row[name] for name in names if name in row), 100))
        for row in rows
    }


def check_quorum(connection: Connection, name: str | None) -> tuple[bool, str]:
    """Ask whether a failover could be authorised now; returns (yes, the reply's words)."""
    try:
        return True, str(connection.call("SENTINEL", "CKQUORUM", name))
    except ReplyError as error:
        return False, str(error)


def agreed_master(seen: View) -> str | None:
    """Return the ``address:port`` that a majority of all configured Sentinels names, or None."""
    named = [sentinel["master"] for sentinel in seen["sentinels"] if not sentinel["problem"]]
    votes = {place: named.count(place) for place in named}
    return next((place for place, count in votes.items() if 2 * count > len(seen["sentinels"])), None)
