"""The table of sentinel.conf directives: what may be set, for which scope, and what belongs to Sentinel itself.

The rows are ``sentinel-directives.json``; nothing else lists them. Defaults are those of the table: a line that equals
its default is deleted from the file by Sentinel, so a missing line means the default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from redis_fleet.catalogue import values
from redis_fleet.catalogue.multi_word import Lines
from redis_fleet.catalogue.table import (
    Directive,
    catalogue,
    directive,
    known,
    merged,
    nearest_of,
    nearest_version,
)
from redis_fleet.model import Words

Scope = Literal["global", "master"]


@dataclass(frozen=True)
class SentinelDirective:
    """One ``sentinel NAME ...`` statement; its lines hold the words behind NAME, or behind the master's name.

    ``scope``: ``global`` or ``master``. ``state``: Sentinel writes it, nobody else may. ``words``: how many words a
    line has. ``set_live``: how a running Sentinel takes a change: ``set`` (SENTINEL SET), ``config-set`` (SENTINEL
    CONFIG SET) or ``restart``. ``value`` is what ``values`` checks and compares them by, with the default.
    """

    name: str
    scope: Scope
    state: bool
    words: int
    set_live: Literal["set", "config-set", "restart"]
    value: Directive


def find(engine: str, version: str, name: str) -> SentinelDirective | None:
    """Return a directive by name or alias (``down-after-milliseconds``); None where that version does not know it."""
    return _column(engine, nearest_version(engine, version)).get(name.lower())


def names(engine: str, version: str, scope: Scope | None = None, state: bool | None = None) -> tuple[str, ...]:
    """Return the names (no aliases) of one version: all, those of a scope, those that are (not) Sentinel's state."""
    found = _column(engine, nearest_version(engine, version))
    return tuple(
        name
        for name, row in found.items()
        if name == row.name and scope in (None, row.scope) and state in (None, row.state)
    )


def ordinary(engine: str, version: str) -> tuple[str, ...]:
    """Return the redis.conf directives that mean something to a Sentinel (port, dir, tls-* ...)."""
    known_names = catalogue(engine, version)
    return tuple(name for name in _table()["ordinary"] if name in known_names)


def nearest(engine: str, version: str, name: str) -> str | None:
    """Return the name that may be set (sentinel or ordinary) most like a mistyped one, if any is like it."""
    return nearest_of(name, (*names(engine, version, state=False), *ordinary(engine, version)))


@cache
def unit_needs() -> Mapping[str, str]:
    """Return what each statement needs of the unit (the column ``unit``), by name without the word ``sentinel``."""
    return {name: row["unit"] for name, row in _table()["directives"].items() if "unit" in row}


def is_state(words: Words) -> bool:
    """Say whether the words behind ``sentinel`` on a line are Sentinel's own notes (myid, known-replica ...)."""
    row = _table()["directives"].get(words[0].lower()) if words else None
    return bool(row and row.get("state"))


def problem(directive: SentinelDirective, lines: Lines) -> str | None:
    """Say what is wrong with the words behind the name (and the master's name); None when they are fine."""
    if directive.state:
        return "is written by Sentinel alone"
    wrong = next((words for words in lines if len(words) != directive.words), None)
    if wrong is not None:
        return f"takes {directive.words} word{'s' * (directive.words > 1)}, not {len(wrong)}"
    return values.problem(directive.value, lines)


@cache
def _column(engine: str, version: str) -> dict[str, SentinelDirective]:
    column = f"{engine}-{version}"
    found: dict[str, SentinelDirective] = {}
    for name, row in _table()["directives"].items():
        if known(row, column):
            made = _make(name, merged(row, column), column)
            found[name] = made
            if column in row.get("alias_in", ()):
                found[row["alias"]] = made
    return found


def _make(name: str, row: Any, column: str) -> SentinelDirective:
    value = directive(
        name, {"section": "Sentinel", "many_words": row["words"] > 1, **row, "live": "restart", "differs": ()}, column
    )
    return SentinelDirective(name, row["scope"], row.get("state", False), row["words"], row["live"], value)


@lru_cache(maxsize=1)
def _table() -> Any:
    return json.loads(Path(__file__).with_name("sentinel-directives.json").read_text("utf-8"))
