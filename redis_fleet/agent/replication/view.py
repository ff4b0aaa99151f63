"""What a client of Redis needs to know, and what it sees from where it stands.

All of it runs in the controller's own process or on a machine, wherever a real client of the service would run.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Optional, TypeVar, cast

from .. import access, engine_words
from ..access import Access
from ..endpoint import place_of
from ..messages.service import Instance, MemberView, Peer, SentinelView, ServiceAccess, ServiceView
from ..protocol.resp import Connection, ReplyError, info, pairs, replies
from ..secret import masked
from .ways import way_to

# What talking to a sick process, or to something that is no Redis at all, can raise.
CONNECTION_ERRORS = (OSError, ReplyError, ValueError, LookupError)
WORKERS = 16
S = TypeVar("S")
T = TypeVar("T")
# Redis >= 6.0 to AUTH where the default user needs no password; the only AUTH error that leaves the server usable.
_ABOUT_A_SERVICE = ("MASTER", "REPLICAS", "SENTINELS", "CKQUORUM")
OPEN_SERVER = "called without any password configured"


def describe_error(error: Exception) -> str:
    """Return an error of a connection in the words of an operator; never carries a secret."""
    if isinstance(error, ReplyError):
        return f"it answered: {error}"
    if isinstance(error, socket.timeout):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there (connection refused)"
    return str(error.strerror or error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def connect(target: ServiceAccess, node: Instance, timeout: float = 2.0) -> Connection:
    """Connect to a member or a Sentinel with its password; raises OSError or ReplyError.

    A server that wants no password although the target has one is connected to all the same: that it is open is for
    the verification to say. An error reply never repeats the password.
    """
    way_in = replace(target.access(node), endpoint=way_to(node))
    try:
        return access.connect(way_in, timeout)
    except ReplyError as error:
        if OPEN_SERVER in str(error):
            return access.connect(Access(way_in.endpoint), timeout)
        raise ReplyError(masked(str(error), [way_in.secret.reveal()] if way_in.secret else [])) from None


def map_parallel(action: Callable[[S], T], things: Iterable[S]) -> list[T]:
    """Run an action on all things at the same time and return the results in the order of the things."""
    todo = list(things)
    found: list[Optional[T]] = [None] * len(todo)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for index in range(number, len(todo), WORKERS):
                found[index] = action(todo[index])
        except BaseException as error:  # noqa: BLE001 (the caller gets it)
            errors.append(error)

    # Not an executor: to import that takes longer than all that is done here.
    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, min(WORKERS, len(todo)))]
    for thread in threads:
        thread.start()
    work(0)
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return cast("list[T]", found)


def unreachable(target: ServiceAccess, timeout: float = 1.0) -> list[str]:
    """Return the ids of servers and Sentinels to whose ports no TCP connection can be made from here.

    An empty list means that this is a vantage from which a client can run. ``timeout`` is in seconds for each; all are
    tried at the same time.
    """

    def attempt(node: Instance) -> str:
        try:
            place = way_to(node)
            socket.create_connection((place.address, place.port), timeout=timeout).close()
        except OSError:
            return node.id
        return ""

    return [name for name in map_parallel(attempt, target.instances) if name]


def view(target: ServiceAccess, timeout: float = 1.0) -> ServiceView:
    """Ask every Sentinel and every member, all at the same time; one that is down is an entry with its problem."""
    watched = target.sentinels if target.monitor else ()
    asked: list[Callable[[], MemberView | SentinelView]] = [
        *(partial(member_view, target, node, timeout) for node in target.members),
        *(partial(sentinel_view, target, node, timeout) for node in watched),
    ]
    seen = map_parallel(lambda ask: ask(), asked)
    members = tuple(each for each in seen if isinstance(each, MemberView))
    return ServiceView(time.time(), tuple(each for each in seen if isinstance(each, SentinelView)), members)


def members_view(target: ServiceAccess, timeout: float = 1.0) -> tuple[MemberView, ...]:
    """Ask every member, all at the same time."""
    return tuple(map_parallel(lambda node: member_view(target, node, timeout), target.members))


def member_view(target: ServiceAccess, node: Instance, timeout: float = 1.0) -> MemberView:
    """Ask one server about its replication."""
    try:
        with connect(target, node, timeout) as connection:
            replication, persistence = connection.calls(("INFO", "replication"), ("INFO", "persistence"))
            loading = info(persistence).get("loading", "0") != "0"
            return replace(read_replication(node.id, info(replication)), loading=loading)
    except CONNECTION_ERRORS as error:
        return MemberView(node.id, problem=describe_error(error))


def read_replication(name: str, facts: Mapping[str, str]) -> MemberView:
    """Return a member's (id) view from INFO replication, in the words of Redis 6 - 8 and of Valkey."""
    priority = int(_said(facts, "slave_priority", "100"))
    if engine_words.role(facts.get("role")) == engine_words.MASTER:
        rows = [row for row in engine_words.replica_rows(facts) if "lag" in row]
        heard = {place_of(row["ip"], row["port"]): int(row["lag"]) for row in rows}
        offset = int(_said(facts, "master_repl_offset", "-1"))
        return MemberView(name, role=engine_words.MASTER, priority=priority, offset=offset, heard=heard)
    linked = _said(facts, "master_link_status", "") == "up"
    copying = _said(facts, "master_sync_in_progress", "0") != "0"
    return MemberView(
        name,
        role=engine_words.REPLICA,
        follows=place_of(_said(facts, "master_host", ""), _said(facts, "master_port", "")),
        link_up=linked and not copying,
        offset=int(_said(facts, "slave_repl_offset", "-1")),
        priority=priority,
        unlinked=-1 if linked or copying else int(_said(facts, "master_link_down_since_seconds", "-1")),
    )


def _said(facts: Mapping[str, str], name: str, default: str) -> str:
    found = engine_words.value(facts, name)
    return default if found is None else found


def sentinel_view(target: ServiceAccess, node: Instance, timeout: float = 1.0) -> SentinelView:
    """Ask one Sentinel about the service; a name that it does not watch is a problem too."""
    try:
        with connect(target, node, timeout) as connection:
            *asked, quorum = connection.pipeline(("SENTINEL", word, target.monitor) for word in _ABOUT_A_SERVICE)
            said, replicas, sentinels = replies(asked)
            master = pairs(said)
            return SentinelView(
                node.id,
                master=place_of(master.get("ip", ""), master.get("port", "")),
                flags=tuple(master.get("flags", "").split(",")),
                config_epoch=int(master.get("config-epoch", -1)),
                quorum_ok=not isinstance(quorum, ReplyError),
                quorum=str(quorum),
                replicas=peers(replicas),
                sentinels=peers(sentinels),
                priorities=numbers(replicas, "slave-priority", "100"),
                offsets=numbers(replicas, "slave-repl-offset", "0"),
            )
    except CONNECTION_ERRORS as error:
        return SentinelView(node.id, problem=describe_error(error))


def peers(reply: list[Any]) -> tuple[Peer, ...]:
    """Read the list that SENTINEL REPLICAS and SENTINEL SENTINELS answer with."""
    rows = [pairs(row) for row in reply]
    return tuple(Peer(place_of(row.get("ip", ""), row.get("port", "")), tuple(row["flags"].split(","))) for row in rows)


def numbers(reply: list[Any], name: str, default: str) -> dict[str, int]:
    """Read a number that SENTINEL REPLICAS has of each replica, by its ``address:port``."""
    rows = [pairs(row) for row in reply]
    return {place_of(row.get("ip", ""), row.get("port", "")): int(_said(row, name, default)) for row in rows}
