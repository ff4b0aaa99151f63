"""How a difference in a running process is put right: while it runs, by a restart, or not at all; and the orders.

The table of the version that runs says what CONFIG SET takes; what is here are the traps that it cannot know, one
function each. What a difference in a systemd unit takes is here too. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from redis_fleet.agent.host.digest import matches, sha256
from redis_fleet.agent.messages.orders import DIRECTIVE, AppendOnly, Order, Rewrite, SecretRef, SetDirectives, Value
from redis_fleet.agent.replication.fence import FENCE
from redis_fleet.catalogue import values
from redis_fleet.catalogue.check import value_of
from redis_fleet.catalogue.table import Directive
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.plan.diff import catalogue_of
from redis_fleet.plan.steps import Change, ChangeLive
from redis_fleet.render import handover
from redis_fleet.render.files import has_unit_file, unit_file
from redis_fleet.rulebook import decides
from redis_fleet.rules import persistence

# How long a rewrite of the append only file or a snapshot may take, in seconds.
_PERSISTENCE_SECONDS = 3600
Trap = Callable[[Process, ProcessFacts, Change], Change | None]
"""Returns the change with another decision, or None where the table's word holds."""


def decide(process: Process, facts: ProcessFacts, change: Change) -> Change:
    """Return the change with ``how`` and ``reason``; LIVE, RESTART or REFUSED."""
    if change.how == "REFUSED":
        return change
    directive = catalogue_of(facts).meant(change.directive)
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
    if directive.type == "of-module" and (change.where == "running" or directive.name not in facts.config):
        return replace(change, how="RESTART", reason="it is a module's, which may read it only when it is loaded")
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


def live_step(process: Process, facts: ProcessFacts, changes: Sequence[Change]) -> ChangeLive:
    """Return the step that applies live changes to one server."""
    what = f"change {process.name} while it runs"
    return ChangeLive(
        process.machine,
        process.name,
        what,
        "; ".join(dict.fromkeys(change.reason for change in changes)),
        stage="live_masters" if facts.role_name == "master" else "live_replicas",
        changes=tuple(changes),
        orders=tuple(orders(process, facts, changes)),
        expect=facts.role_name,
    )


@decides(persistence.AOF_BY_FILE)
def orders(process: Process, facts: ProcessFacts, changes: Sequence[Change]) -> Iterator[Order]:
    """Yield what brings the running values to the described ones and then to the file.

    Data is never without a home in between: an append only file is complete before other persistence goes, and goes
    only when the rest is there.
    """
    running = [change for change in changes if change.where == "running"]
    pairs = tuple(_pair(process, facts, change) for change in running if change.directive != "appendonly")
    append = next((_pair(process, facts, each)[1] for each in running if each.directive == "appendonly"), None)
    if append == "yes":
        yield AppendOnly("yes", _PERSISTENCE_SECONDS)
    if pairs:
        yield SetDirectives(pairs)
    if append == "no":
        yield AppendOnly("no", _PERSISTENCE_SECONDS)
    yield Rewrite()


def _pair(process: Process, facts: ProcessFacts, change: Change) -> tuple[str, Value]:
    """Return the directive and the text that CONFIG SET takes."""
    directive = catalogue_of(facts).find(change.directive)
    assert directive is not None
    setting = process.setting(change.directive)
    # The server may know it only under its other name.
    name = directive.name if directive.name in facts.config or not directive.alias else directive.alias
    if setting is None:
        return name, directive.default or ""
    return name, SecretRef(DIRECTIVE, setting.name) if setting.secret else values.config_text(directive, setting.lines)


Difference = Literal["", "reload", "restart"]

# What a process is given when it starts and would run without until its next start. Everything else is either for
# systemd, which reads it again at once, or hardening, which can wait for the next start.
_AT_START = ("LimitNOFILE=", "ExecStart=", "User=", "ReadWritePaths=", "RuntimeDirectory=")


def unit_difference(fleet: Fleet, process: Process, seen: Observed) -> Difference:
    """Say whether the unit of a process is as described (``""``), or what it takes to make it so."""
    if not has_unit_file(process):
        return ""
    file = unit_file(fleet, process)
    machine = seen.machines[process.machine]
    if machine.fingerprints.get(file.path) == sha256(file.content):
        return "reload" if handover_differs(fleet, process, seen) else ""
    text = machine.texts.get(file.path)
    if text is None:
        return "reload"
    return "restart" if _given(text) != _given(file.content.decode()) else "reload"


def handover_differs(fleet: Fleet, process: Process, seen: Observed) -> bool:
    """Say whether what a unit hands a master's role over with is as described, or there although it is not."""
    machine = seen.machines[process.machine]
    program, knowledge = handover.paths(process)
    code, knows = machine.fingerprints.get(program), machine.sealed.get(knowledge)
    if not process.hands_over:
        return code is not None or knows is not None
    wanted, known = handover.files(fleet, process)
    return code != sha256(wanted.content) or not matches(knows or "", known.content.decode())


def writing_unit(fleet: Fleet, process: Process, seen: Observed) -> str:
    """Return what is done where the unit of a process differs."""
    what = f"write {process.paths.unit}"
    if not handover_differs(fleet, process, seen):
        return what
    place = handover.folder(process)
    return f"{what} and what it hands over with, {place}" if process.hands_over else f"{what}, remove {place}"


def _given(text: str) -> set[str]:
    return {line for line in text.splitlines() if line.startswith(_AT_START)}
