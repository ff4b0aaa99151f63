"""One row a process: what an operator wants to see at a glance."""

from __future__ import annotations

import time
from typing import Any

from redis_fleet.agent import engine_words
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.observe.health import problem
from redis_fleet.observe.votes import votes


def rows(fleet: Fleet, seen: Observed) -> list[dict[str, Any]]:
    """Return the rows, services first, then Sentinels.

    ``follows`` is the master's endpoint, ``lag`` is in bytes behind it, ``last_save`` in seconds ago, ``uptime`` in
    seconds, ``memory`` and ``maxmemory`` in bytes (0: no limit); None where it means nothing or is not known.
    """
    found = [_server(fleet, service, process, seen) for service in fleet.services for process in service.processes]
    found += [_sentinel(process, seen) for process in fleet.sentinels]
    return found + [_base(process, seen) for process in fleet.auxiliary]


def _base(process: Process, seen: Observed) -> dict[str, Any]:
    facts = seen.of(process)
    return {
        "process": process.id,
        "service": process.service,
        "machine": process.machine,
        "endpoint": str(process.endpoint),
        "up": facts.answers,
        "problem": problem(process, seen),
        "role": facts.role_name or None,
        "follows": str(facts.follows) if facts.follows else None,
        "engine": facts.engine if facts.version else None,
        "version": facts.version or None,
        "link": None,
        "lag": None,
        "keys": None,
        "last_save": None,
        "aof": None,
        "agreeing": None,
        "uptime": int(facts.info.get("uptime_in_seconds", 0)) if facts.answers else None,
        "memory": None,
        "maxmemory": None,
    }


def _server(fleet: Fleet, service: Service, process: Process, seen: Observed) -> dict[str, Any]:
    facts = seen.of(process)
    row = _base(process, seen)
    if not facts.answers:
        return row
    info = facts.info
    row["keys"] = facts.keys
    row["last_save"] = max(0, int(time.time()) - int(info.get("rdb_last_save_time", 0)))
    row["aof"] = _aof(facts)
    row["memory"], row["maxmemory"] = (int(info.get(name, 0)) for name in ("used_memory", "maxmemory"))
    if facts.role_name == engine_words.REPLICA:
        row["link"] = engine_words.value(info, "master_link_status")
        row["lag"] = _lag(service, process, facts, seen)
    if service.watch:
        row["agreeing"] = _agreeing(fleet, service, process, seen)
    return row


def _aof(facts: ProcessFacts) -> str:
    if facts.info.get("aof_enabled") != "1":
        return "off"
    if facts.info.get("aof_rewrite_in_progress") == "1":
        return "rewriting"
    return "ok" if facts.info.get("aof_last_write_status") == "ok" else "failing"


def _lag(service: Service, process: Process, facts: ProcessFacts, seen: Observed) -> int | None:
    """Bytes behind the master; both were asked at slightly different times, so a little is nothing."""
    master = next((each for each in service.processes if each.announced == facts.follows), None)
    if master is None or process == master:
        return None
    ahead = engine_words.value(seen.of(master).info, "master_repl_offset")
    own = engine_words.value(facts.info, "slave_repl_offset")
    return max(0, int(ahead) - int(own)) if ahead and own else None


def _agreeing(fleet: Fleet, service: Service, process: Process, seen: Observed) -> list[str] | None:
    """Which Sentinels name this process as the master; only said of masters."""
    assert service.watch is not None
    found = votes(seen, fleet.sentinels, service.watch.name)
    agreeing = [each.voter for each in found if each.place == str(process.announced)]
    return agreeing if agreeing or seen.of(process).role_name == engine_words.MASTER else None


def _sentinel(process: Process, seen: Observed) -> dict[str, Any]:
    facts = seen.of(process)
    row = _base(process, seen)
    if facts.answers:
        row["role"] = "sentinel"
        good = sum(view.quorum.startswith("OK") for view in facts.masters.values())
        row["link"] = f"quorum for {good} of {len(facts.masters)}"
    return row
