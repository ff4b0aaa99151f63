"""The users that the processes of a deployment are to each other, and what each of them has to be allowed. Pure.

What Sentinel and replicas send is in sentinel.c (sentinelSendSlaveOf, sentinelReconnectInstance,
sentinelAskMasterStateToOtherSentinels) and replication.c (syncWithMaster). The sets were run on Redis 6.0 to 8.0 and
Valkey 8.1 and 9.1, failovers included, without one denial.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.model import OURS

SENTINEL = "sentinel"
REPLICA = "replica"
PEER = "sentinel-peer"
NAMES = (OURS, SENTINEL, REPLICA, PEER)

HELLO = "__sentinel__:hello"
"""The channel by which Sentinels find each other."""
KEYS = "redis-fleet:*"
"""The keys of verifications and drills."""


@dataclass(frozen=True)
class InternalUser:
    """``who`` logs in as ``name``, in words; it sends ``commands``, uses ``keys`` and ``channels``.

    ``groups`` are categories of commands beside these, for drills; ``whole`` is a user that may do everything.
    """

    name: str
    who: str
    commands: tuple[str, ...]
    channels: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    whole: bool = False

    def rules(self, *, channels: bool) -> tuple[str, ...]:
        """Return the rules of a new user, without its password; ``channels``: the version knows them (from 6.2)."""
        if self.whole:
            return ("~*", *(("&*",) if channels else ()), "+@all")
        heard = ("resetchannels", *(f"&{each}" for each in self.channels)) if channels else ()
        granted = (*(f"+@{each}" for each in self.groups), *(f"+{each}" for each in self.commands))
        return (*(f"~{each}" for each in self.keys), *heard, "-@all", *granted)


_FAILOVER = (
    *("multi", "slaveof", "ping", "exec", "subscribe", "config|rewrite", "role", "publish", "info"),
    *("client|setname", "client|kill", "script|kill"),
)
# What SENTINEL FAILOVER … COORDINATED sends on top (sentinel.c of Valkey 9.0).
_COORDINATED = ("failover", "client|pause", "client|unpause")
_OURS = (
    *("ping", "echo", "hello", "info", "role", "time", "wait", "acl", "config|get", "config|set", "config|rewrite"),
    *("client", "multi", "exec", "discard", "replicaof"),
    *("bgsave", "bgrewriteaof", "lastsave"),
    *("scan", "set", "get", "del", "unlink", "exists", "type", "expire", "pexpire", "ttl", "pttl", "setbit"),
    *("pfcount", "eval", "evalsha", "script|load"),
)
_DATA = ("string", "bitmap", "list", "set", "hash", "sortedset")
_OURS_ON_SENTINELS = (*("ping", "hello", "info", "role", "acl", "sentinel", "publish", "client"),)


def on_servers(*, watched: bool, replicated: bool, coordinated: bool) -> tuple[InternalUser, ...]:
    """Return the users of a service's servers; ``coordinated``: its Sentinels may be asked for FAILOVER COORDINATED."""
    found = [InternalUser(OURS, "redis-fleet logs in", _OURS, (), (KEYS,), _DATA)]
    if watched:
        more = _COORDINATED if coordinated else ()
        found.append(InternalUser(SENTINEL, "Sentinels log in", (*_FAILOVER, *more), (HELLO,)))
    if replicated:
        found.append(InternalUser(REPLICA, "replicas log in", ("ping", "replconf", "psync")))
    return tuple(found)


def on_sentinels() -> tuple[InternalUser, ...]:
    """Return the users of the Sentinels."""
    peer = ("ping", "sentinel|is-master-down-by-addr", "publish", "client|setname")
    ours = InternalUser(OURS, "redis-fleet logs in", _OURS_ON_SENTINELS, (HELLO,), whole=True)
    return ours, InternalUser(PEER, "other Sentinels log in", peer, (HELLO,))


PARTS = {
    "read": ("+@read", "+@connection", "+@transaction"),
    "write": ("+@write", "+@connection", "+@transaction"),
    "pubsub": ("+@pubsub", "+@connection"),
    "scripts": ("+@scripting", "+@connection"),
    "admin": ("+@all",),
    "ask": (
        *("+ping", "+hello", "+subscribe", "+psubscribe", "+unsubscribe", "+punsubscribe"),
        *("+sentinel|get-master-addr-by-name", "+sentinel|masters", "+sentinel|master", "+sentinel|sentinels"),
        *("+sentinel|slaves", "+sentinel|replicas"),
    ),
}
"""What ``may:`` takes; all but ``admin`` stay without @dangerous."""
_SAFE = "-@dangerous"


def granted(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the rules for commands that parts come to."""
    rules = tuple(dict.fromkeys(rule for part in parts for rule in PARTS[part]))
    categories = any(rule.startswith("+@") for rule in rules)
    dangerous = "admin" in parts
    return ("-@all", *rules, *((_SAFE,) if categories and not dangerous else ()))


def without_channels(version: str | None) -> bool:
    """Say whether a described version has no channels, and its Sentinels no users."""
    return bool(version) and (str(version) == "6" or str(version).startswith("6.0"))
