"""How a difference in a running server is put right: while it runs, by a restart, or not at all.

The table of the version that runs says what CONFIG SET takes; what is here are the traps that it cannot know, one
function each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from redis_fleet.agent.replication.handover import FENCE
from redis_fleet.catalogue import values
from redis_fleet.catalogue.check import value_of
from redis_fleet.catalogue.table import Directive
from redis_fleet.model import Process
from redis_fleet.observe.facts import ProcessFacts
from redis_fleet.plan.diff import catalogue_of
from redis_fleet.plan.steps import Change
from redis_fleet.rulebook import decides
from redis_fleet.rules import persistence

Trap = Callable[[Process, ProcessFacts, Change], Change | None]
"""Returns the change with another decision, or None where the table's word holds."""


def decide(process: Process, facts: ProcessFacts, change: Change) -> Change:
    """Return the change with ``how`` and ``reason``; LIVE, RESTART or REFUSED."""
    if change.how == "REFUSED":
        return change
    directive = catalogue_of(facts).find(change.directive)
    assert directive is not None
    trap = _TRAPS.get(directive.name)
    decided = trap(process, facts, change) if trap else None
    return decided or _by_table(facts, directive, change)


def after_restart(change: Change) -> Change:
    """Return the change as it is decided for a process that is restarted with another unit anyway.

    CONFIG SET refuses more clients than the files that the running process may open.
    """
    if (change.directive, change.how, change.where) != ("maxclients", "LIVE", "running"):
        return change
    return replace(change, how="RESTART", reason="the unit that it runs with may not let it open so many files")


def _by_table(facts: ProcessFacts, directive: Directive, change: Change) -> Change:
    runs = f"{facts.engine} {facts.version}"
    if change.where == "file" and not directive.file_only:
        return replace(change, how="LIVE", reason="CONFIG REWRITE brings the file back to what runs")
    if directive.live == "config-set":
        return replace(change, how="LIVE", reason=_drift(facts, directive, change) or f"{runs} takes it while it runs")
    return replace(change, how="RESTART", reason=f"{runs} reads it only when it starts")


def _drift(facts: ProcessFacts, directive: Directive, change: Change) -> str:
    """Say so where the running value was set by hand: the file does not know it."""
    catalogue = catalogue_of(facts)
    lines = tuple(
        tuple(words) for name, *words in facts.lines or () if catalogue.canonical_name(name) == directive.name
    )
    if directive.sensitive or not facts.deployed:
        return ""
    written: values.Lines | str = lines or (directive.default or "")
    if values.canonical(directive, written) == values.canonical(directive, change.found):
        return ""
    return "drift: it was set by hand while it ran, and its file does not have it"


@decides(persistence.DATA_LEFT_BEHIND)
def _moves_data(_: Process, __: ProcessFacts, change: Change) -> Change:
    what = (
        "a server that starts with it finds no data and comes up empty; stop it, move the data, edit its file by hand"
    )
    return replace(change, how="REFUSED", reason=what)


def _databases(process: Process, facts: ProcessFacts, change: Change) -> Change | None:
    count = int(value_of(facts.engine, process, "databases"))
    used = [int(name[2:]) for name in facts.info if re.fullmatch(r"db\d+", name)]
    if used and max(used) >= count:
        what = f"database {max(used)} holds keys, and the server would not start; move them or keep the number"
        return replace(change, how="REFUSED", reason=what)
    return None


def _fence(process: Process, facts: ProcessFacts, change: Change) -> Change | None:
    """A marker that a killed switchover left, or a number that would stop all writes at once."""
    if change.where == "running" and change.found == str(FENCE):
        return replace(change, how="LIVE", reason="a switchover that was killed left its fence up: writes are refused")
    wanted = int(value_of(facts.engine, process, "min-replicas-to-write"))
    attached = int(facts.info.get("connected_slaves", "0"))
    if change.where == "running" and facts.role_name == "master" and wanted > attached:
        what = f"only {attached} replicas are attached: every write would be refused; add replicas first"
        return replace(change, how="REFUSED", reason=what)
    return None


def _maxmemory(process: Process, facts: ProcessFacts, change: Change) -> Change | None:
    directive = catalogue_of(facts).find("maxmemory")
    assert directive is not None
    limit = int(str(values.canonical(directive, ((value_of(facts.engine, process, "maxmemory"),),))) or 0)
    used = int(facts.info.get("used_memory", "0"))
    keeps = value_of(facts.engine, process, "maxmemory-policy") == "noeviction"
    if change.where == "running" and limit and used > limit and keeps and facts.role_name == "master":
        what = f"{used} bytes are used already, and with noeviction every write would be refused; free memory first"
        return replace(change, how="REFUSED", reason=what)
    return None


_TRAPS: Mapping[str, Trap] = {
    **dict.fromkeys(("dir", "dbfilename", "appenddirname", "appendfilename"), _moves_data),
    "databases": _databases,
    "min-replicas-to-write": _fence,
    "maxmemory": _maxmemory,
}
