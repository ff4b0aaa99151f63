"""May a server go down for a restart, and is it back in step: judged from INFO of it and of its master. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .. import engine_words
from ..endpoint import Endpoint
from .findings import Code, Finding

SILENCE = 5
"""Seconds; a replica tells its master every second how far it is."""
_IT = "it"
Facts = Mapping[str, str]


def standing(role: str, expect: str, own: Facts) -> list[Finding]:
    """Return why a server is not what it is expected to be, with its data."""
    if role != expect:
        return [Finding(Code.OTHER_ROLE, _IT, expect, role)]
    return [Finding(Code.LOADING, _IT)] if own.get("loading") == "1" else []


def rewriting(own: Facts) -> list[Finding]:
    """Return why a server does not stop when it is told to: one that writes its first append-only file goes on."""
    busy = {own.get("aof_rewrite_in_progress", "0"), own.get("aof_rewrite_scheduled", "0")} != {"0"}
    return [Finding(Code.REWRITING, _IT)] if busy else []


def unlinked(master: str, own: Facts) -> list[Finding]:
    """Return why a replica is not in step with its master (``address:port``), by its own word."""
    link = engine_words.value(own, "master_link_status")
    if link == "up" and engine_words.value(own, "master_sync_in_progress") == "0":
        return []
    return [Finding(Code.LINK, _IT, master, str(link))]


def attended(own: Facts, others: Collection[Endpoint], needed: int) -> list[Finding]:
    """Return why a master may not go down, or is not back: too few of the others are in step with it."""
    online = replicas_in_step(own, others)
    return [] if online >= needed else [Finding(Code.TOO_FEW_REPLICAS, _IT, number=online, limit=needed)]


def replaceable(master: str, facts: Facts, others: Collection[Endpoint], needed: int) -> list[Finding]:
    """Return why a replica of this master (``address:port``, and its INFO) may not go down."""
    found = unled(master, facts)
    online = replicas_in_step(facts, others)
    if found or online >= needed:
        return found
    return [Finding(Code.TOO_FEW_OTHERS, _IT, master, number=online, limit=needed)]


def unled(master: str, facts: Facts) -> list[Finding]:
    """Return why what a replica follows (``address:port``, and its INFO) is no master."""
    is_master = engine_words.role(facts["role"]) == engine_words.MASTER
    return [] if is_master else [Finding(Code.MASTER_OF_IT_IS_NONE, _IT, master)]


def behind(own: Facts, master: Facts) -> list[Finding]:
    """Return why a replica has not got as far as its master was a moment ago."""
    missing = _offset(master, "master_repl_offset") - _offset(own, "slave_repl_offset")
    return [Finding(Code.NOT_CAUGHT_UP, _IT, number=missing)] if missing > 0 else []


def _offset(facts: Facts, name: str) -> int:
    return int(engine_words.value(facts, name) or -1)


def replicas_in_step(master: Facts, others: Collection[Endpoint]) -> int:
    """Return how many of the others a master lists as replicas in step; one that it has not heard of lately is none."""
    rows = engine_words.replica_rows(master)
    sound = [row for row in rows if row["state"] == "online" and int(row["lag"]) <= SILENCE]
    return sum(1 for row in sound if Endpoint(row["ip"], int(row["port"])) in others)
