"""The words in which servers and Sentinels of every engine answer: roles, fields of INFO, flags of Sentinel.

Redis says slave and master up to the newest version, Valkey may say replica and primary; here is where that is known.
Flags are those of sentinelRedisInstance in sentinel.c.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Optional

MASTER, REPLICA, SENTINEL = "master", "replica", "sentinel"
_ROLES = {"master": MASTER, "primary": MASTER, "slave": REPLICA, "replica": REPLICA, "sentinel": SENTINEL}
_SPELLINGS = (("master", "primary"), ("slave", "replica"))

DISCONNECTED = "disconnected"
DOWN = frozenset({"s_down", "o_down"})
"""It did not answer for long enough, by this Sentinel's own word or by that of enough of them."""
UNREACHED = DOWN.union({DISCONNECTED})
"""This Sentinel has no link to it now. One that started a moment ago, or got another password, is disconnected too."""
FAILING_OVER = frozenset({"failover_in_progress", "promoted", "reconf_sent", "reconf_inprog"})
"""A failover is under way: of the master the first, of its replicas the others."""


def role(word: object, unknown: str = "") -> str:
    """Return the role that a word of ROLE or INFO stands for, ``unknown`` for a word that is none."""
    return _ROLES.get(str(word), unknown)


def value(facts: Mapping[str, str], name: str) -> Optional[str]:
    """Return a field by its name in Redis, in whichever words the engine has it; None when it is not there."""
    for ours, theirs in _SPELLINGS:
        if name not in facts and name.startswith(ours):
            name = theirs + name[len(ours) :]
    return facts.get(name)


def replica_rows(facts: Mapping[str, str]) -> list[dict[str, str]]:
    """Read the lines ``slave0:ip=…,port=…,state=online,offset=…,lag=…`` of a master's INFO replication."""
    rows = [text for name, text in facts.items() if name.rstrip("0123456789") in ("slave", "replica") and "=" in text]
    return [dict(part.split("=", 1) for part in row.split(",")) for row in rows]


def flags(text: str) -> frozenset[str]:
    """Return the flags of a row of SENTINEL MASTER, REPLICAS or SENTINELS."""
    return frozenset(text.split(","))


def any_of(found: Iterable[str], wanted: frozenset[str]) -> bool:
    """Say whether one of the flags is among the wanted ones."""
    return not wanted.isdisjoint(found)
