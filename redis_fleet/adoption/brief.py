"""A short description: what a process would be without a line need not be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from redis_fleet.adoption.knowledge import Knowledge
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.sentinels import Sentinel
from redis_fleet.adoption.servers import Server
from redis_fleet.adoption.texts import Value
from redis_fleet.catalogue import sentinel as table
from redis_fleet.catalogue import values
from redis_fleet.catalogue.table import Directive
from redis_fleet.problems import Position

# Whether anything is saved is always said: rules ask for it, and Redis 6.0 saves nothing without a line.
_ALWAYS = frozenset({"save"})
# Sentinel has it off by itself (sentinel.c: initSentinelConfig).
_OTHERWISE_IN_SENTINEL = frozenset({"protected-mode"})


def server(full: Server, knowledge: Knowledge, notes: Notes) -> Server:
    """Return a server without the values that are the default in every version that may read its file."""
    return _without(full, knowledge, notes, _ALWAYS)


def sentinel(full: Sentinel, knowledge: Knowledge, notes: Notes) -> Sentinel:
    """Return a Sentinel without such values: its own, and those of the masters that it watches."""
    monitors = {name: replace(each, options=_kept(each.options, knowledge)) for name, each in full.monitors.items()}
    own = _without(full.own, knowledge, notes, _ALWAYS | _OTHERWISE_IN_SENTINEL)
    return replace(full, own=own, settings=_kept(full.settings, knowledge), monitors=monitors)


def _without(full: Server, knowledge: Knowledge, notes: Notes, always: frozenset[str]) -> Server:
    left = [
        name
        for name, value in full.values.items()
        if name not in always and _says_nothing(value, [each.find(name) for each in knowledge.knowing(name)])
    ]
    if left:
        text = f"{', '.join(left)} are what they are without a line; left out (--brief)"
        notes.add(Position(full.found.file), text)
    return replace(full, values={name: value for name, value in full.values.items() if name not in left})


def _kept(options: Mapping[str, Value], knowledge: Knowledge) -> dict[str, Value]:
    return {
        name: value
        for name, value in options.items()
        if not _says_nothing(value, [_of_sentinel(knowledge, each.version, name) for each in knowledge.catalogues])
    }


def _of_sentinel(knowledge: Knowledge, version: str, name: str) -> Directive | None:
    found = table.find(knowledge.engine, version, name)
    return found.value if found else None


def _says_nothing(value: Value, directives: Sequence[Directive | None]) -> bool:
    """Say whether a value is the default of all of some versions, those that know it."""
    known = [each for each in directives if each]
    return bool(known) and all(
        each.default is not None and values.canonical(each, each.default) == value.form for each in known
    )
