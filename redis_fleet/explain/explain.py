"""What the table knows of a name, put together for a person: pure, needs no machine and no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from redis_fleet.catalogue import check, sentinel, table
from redis_fleet.catalogue.sentinel import SentinelDirective
from redis_fleet.catalogue.table import Directive
from redis_fleet.catalogue.unit_needs import NEEDS
from redis_fleet.explain import phrases, version_ranges
from redis_fleet.explain.version_ranges import VersionGroup, VersionSpan
from redis_fleet.rules import Rule, all_rules

Columns = tuple[str, ...]

_LIVE = {
    "config-set": "live, by CONFIG SET",
    "restart": "by a restart",
    "protected": "by a restart; live, by CONFIG SET, only with enable-protected-configs",
}
_COMMANDS = {
    "replicaof": "live, by REPLICAOF",
    "user": "live, by ACL SETUSER",
    "loadmodule": "live, by MODULE LOAD and MODULE UNLOAD",
}
_SENTINEL_LIVE = {
    "set": "live, by SENTINEL SET on every Sentinel",
    "config-set": "live, by SENTINEL CONFIG SET on every Sentinel",
    "restart": "by a restart of each Sentinel",
}
_SENTINEL_COMMANDS = {"monitor": "the quorum live, by SENTINEL SET; address and port by a failover"}
# A Sentinel has no CONFIG command: what it shares with a server is set live by these at most (measured on 7.0.15).
_SHARED_COMMANDS = dict.fromkeys(("requirepass", "user"), "live, by ACL SETUSER and SENTINEL FLUSHCONFIG")
_SHARED_DEFAULTS = {"port": "26379", "protected-mode": "no"}
_SHARED_PLACES = {
    "port": check.OwnKey("write 'port:' below 'sentinel:'", "port"),
    "bind": check.OwnKey("write 'bind:' below 'sentinel:'", "bind"),
    "requirepass": check.OwnKey("write 'password:' below 'sentinel:'", "password"),
}
_BELOW_CONFIG = check.OwnKey("")
_STATE = check.OwnKey("take it out")
_SENTINEL_SECTIONS: Mapping[str, tuple[sentinel.Scope, bool]] = {
    "sentinel.conf, for all masters": ("global", False),
    "sentinel.conf, for each master": ("master", False),
    "sentinel.conf, Sentinel's own notes": ("global", True),
    "sentinel.conf, Sentinel's own notes on each master": ("master", True),
}


class UnknownNameError(Exception):
    """No version, or none that was asked about, knows the name; the text says what may have been meant."""


@dataclass(frozen=True)
class Explanation:
    """Everything about one directive of one file.

    ``asked`` is the name it was asked by, where that is another one; ``names``: what else it is or was called, a
    sentence each. ``scope``: ``server``, or for sentinel.conf ``global`` or ``master``. ``value``, ``default`` and
    ``change`` have a group for each set of versions that differ. ``place``: where redis-fleet's YAML has it when it is
    not below ``config:``. ``example``: a line of that YAML, empty where there is nothing to write. ``unit``: what the
    systemd unit allows for it, in words, empty for nothing. ``rules``: those that are about it.
    """

    name: str
    file: Literal["redis.conf", "sentinel.conf"]
    scope: Literal["server", "global", "master"]
    section: str
    does: str
    costs: str
    value: tuple[VersionGroup, ...]
    default: tuple[VersionGroup, ...]
    change: tuple[VersionGroup, ...]
    known: tuple[VersionSpan, ...]
    asked: str = ""
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    place: str = ""
    example: str = ""
    unit: str = ""
    rules: tuple[Rule, ...] = ()


def explain(name: str, engine: str | None = None, version: str | None = None) -> tuple[Explanation, ...]:
    """Explain a directive by name or alias: as all versions have it, or those of an engine, or one version.

    ``sentinel NAME`` means sentinel.conf alone; a name that both files know is explained for both. UnknownNameError
    when none of those versions knows it, ValueError for an engine that is not one and a version without a number.
    """
    among = version_ranges.columns(engine, version)
    words = name.lower().split()
    only_sentinel = len(words) > 1 and words[0] == "sentinel"
    wanted = " ".join(words[1:] if only_sentinel else words)
    row = _newest(wanted, among)
    found = () if row is None else of_server(row.name, among)
    found = tuple(each for each in found if each.file == "sentinel.conf" or not only_sentinel)
    found += of_sentinel(wanted, among)
    if not found:
        raise UnknownNameError(_unknown(wanted, among, only_sentinel))
    return tuple(replace(each, asked=wanted if wanted != each.name else "") for each in found)


def every_name() -> dict[str, tuple[str, ...]]:
    """Return all directives, no aliases, by section of redis.conf, then those of sentinel.conf."""
    columns = version_ranges.columns()
    found: dict[str, set[str]] = {section: set() for section in table.sections()}
    for column in columns:
        for row in table.catalogue(*version_ranges.split(column)):
            found[row.section].add(row.name)
    for title, (scope, state) in _SENTINEL_SECTIONS.items():
        every = (sentinel.names(*version_ranges.split(column), scope, state) for column in columns)
        found[title] = {name for names in every for name in names}
    return {title: tuple(sorted(names)) for title, names in found.items()}


def of_server(name: str, among: Columns) -> tuple[Explanation, ...]:
    """Explain a row of redis.conf by its own name, as a server has it and, where it means something there, a Sentinel.

    Empty when none of those columns has the row.
    """
    own = version_ranges.rows(name, among)
    row = _newest(name, own)
    if row is None:
        return ()
    place = next((check.OWN_KEYS[each] for each in (row.name, row.alias) if each in check.OWN_KEYS), _BELOW_CONFIG)
    explanation = Explanation(
        name=name,
        file="redis.conf",
        scope="server",
        section=row.section,
        does=row.does,
        costs=row.costs,
        value=version_ranges.differences(name, own, phrases.value),
        default=version_ranges.differences(name, own, phrases.default),
        change=version_ranges.differences(name, own, lambda each: _COMMANDS.get(each.name, _LIVE.get(each.live, ""))),
        known=version_ranges.known(name, version_ranges.rows(name, _all_of(own))),
        names=_names(row),
        notes=_notes(row),
        place=place.advice,
        example=_example(row, place),
        unit=NEEDS[row.unit or "nothing"],
        rules=_rules(name, row.alias),
    )
    sentinels = tuple(column for column in own if name in sentinel.ordinary(*version_ranges.split(column)))
    return (explanation, _shared(explanation, row, place, sentinels)) if sentinels else (explanation,)


def of_sentinel(name: str, among: Columns) -> tuple[Explanation, ...]:
    """Explain a row of sentinel.conf by name or alias; empty when none of those columns has it."""
    named = next(
        (row for column in among if (row := sentinel.find(*version_ranges.split(column), name)) is not None), None
    )
    if named is None:
        return ()
    every = {column: sentinel.find(*version_ranges.split(column), named.name) for column in among}
    found = {column: row for column, row in every.items() if row is not None}
    row = list(found.values())[-1]
    place = _STATE if row.state else check.SENTINEL_OWN_KEYS.get(row.name, _BELOW_CONFIG)

    def say(what: Callable[[SentinelDirective], str]) -> tuple[VersionGroup, ...]:
        return version_ranges.grouped((column, what(each)) for column, each in found.items())

    return (
        Explanation(
            name=row.name,
            file="sentinel.conf",
            scope=row.scope,
            section=_section(row),
            does=row.value.does,
            costs=row.value.costs,
            value=say(lambda each: phrases.value(each.value)),
            default=say(lambda each: phrases.default(each.value)),
            change=say(_how),
            known=version_ranges.known(
                row.name, (each for each in _all_of(tuple(found)) if _in_sentinel(each, row.name))
            ),
            names=_sentinel_names(row, tuple(found)),
            notes=_notes(row.value),
            place=place.advice,
            example=_example(row.value, place),
            unit=NEEDS[row.value.unit or "nothing"],
            rules=_rules(row.name, row.value.alias),
        ),
    )


def _newest(name: str, among: Columns) -> Directive | None:
    """Return what a name stands for in redis's newest version that knows it, else in valkey's."""
    found: dict[str, Directive] = {}
    for column in among:
        row = version_ranges.find(column, name)
        if row is not None:
            found[version_ranges.split(column)[0]] = row
    return next((found[engine] for engine in version_ranges.ENGINES if engine in found), None)


def _shared(explanation: Explanation, row: Directive, place: check.OwnKey, sentinels: Columns) -> Explanation:
    """Return the same directive as a Sentinel has it."""
    name = row.name
    fixed = _SHARED_DEFAULTS.get(name)
    place = _SHARED_PLACES.get(name, place)
    return replace(
        explanation,
        file="sentinel.conf",
        scope="global",
        default=(VersionGroup(fixed),) if fixed else explanation.default,
        change=version_ranges.grouped((column, _how_shared(name, column)) for column in sentinels),
        place=place.advice,
        example=f"port: {fixed}" if name == "port" else _example(row, place),
    )


def _how_shared(name: str, column: str) -> str:
    engine, version = version_ranges.split(column)
    old = engine == "redis" and version.startswith("6.")
    if name == "loglevel" and not (old or column.startswith("redis-7.0")):
        return _SENTINEL_LIVE["config-set"]
    # A Sentinel of 6.0 has no ACL command.
    live = None if version.startswith("6.0") else _SHARED_COMMANDS.get(name)
    return live or _SENTINEL_LIVE["restart"]


def _how(row: SentinelDirective) -> str:
    if row.state:
        return "never by hand: Sentinel writes it"
    return _SENTINEL_COMMANDS.get(row.name, _SENTINEL_LIVE[row.set_live])


def _section(row: SentinelDirective) -> str:
    title = next(title for title, which in _SENTINEL_SECTIONS.items() if which == (row.scope, row.state))
    return title.partition(", ")[2]


def _names(row: Directive) -> tuple[str, ...]:
    """Say what else a directive is or was called."""
    found = []
    if row.alias:
        only = version_ranges.rows(row.alias, version_ranges.columns())
        found.append(
            f"also written {row.alias}" + (f", its only name in {version_ranges.in_words(only)}" if only else "")
        )
    later: dict[str, list[str]] = {}
    for column in version_ranges.columns():
        renamed = version_ranges.find(column, row.name)
        if renamed is not None and renamed.name != row.name:
            later.setdefault(renamed.name, []).append(column)
    found += [
        f"called {name} in {version_ranges.in_words(own)}, which read the old name too" for name, own in later.items()
    ]
    return tuple(found)


def _all_of(own: Columns) -> Columns:
    """Return all columns of the engines that some are of: since when it is known is not for one version to say."""
    engines = dict.fromkeys(version_ranges.split(column)[0] for column in own)
    return tuple(column for engine in engines for column in version_ranges.columns(engine))


def _in_sentinel(column: str, name: str) -> bool:
    return sentinel.find(*version_ranges.split(column), name) is not None


def _rules(name: str, alias: str | None) -> tuple[Rule, ...]:
    return tuple(rule for rule in all_rules() if {name, alias, f"sentinel {name}"} & set(rule.directives))


def _sentinel_names(row: SentinelDirective, own: Columns) -> tuple[str, ...]:
    alias = row.value.alias
    knowing = [column for column in own if alias and _in_sentinel(column, alias)]
    return (f"also written {alias} in {version_ranges.in_words(knowing)}",) if knowing else ()


def _notes(row: Directive) -> tuple[str, ...]:
    notes = {
        "a secret: give it as !vault or from the environment, never as it is": row.sensitive,
        "may stand in several lines, which add up": row.repeatable,
        "CONFIG GET answers only to its full name": row.hidden,
    }
    return tuple(note for note, holds in notes.items() if holds)


def _example(row: Directive, place: check.OwnKey) -> str:
    """Return a line of YAML: under the key of the description that it has, or the directive's own below ``config:``."""
    value = phrases.yaml_value(row) if place.key or not place.advice else ""
    return f"{place.key or row.name}: {value}" if value else ""


def _unknown(name: str, among: Columns, only_sentinel: bool) -> str:
    what = f"'{name}' is not a directive of {'sentinel.conf' if only_sentinel else _asked(among)}"
    if any(table.catalogue(*version_ranges.split(column)).ignored(name) for column in among):
        return f"'{name}' is read and ignored by {_asked(among).replace(' or ', ' and ')}; take it out"
    elsewhere = tuple(column for column in version_ranges.columns() if _knows(column, name, only_sentinel))
    if elsewhere:
        return f"{what}, but of {version_ranges.in_words(elsewhere)}"
    near = table.nearest_of(name, _all_names(among, only_sentinel))
    return f"{what}; did you mean '{near}'?" if near else f"{what}; 'redis-fleet explain' lists them all"


def _asked(among: Columns) -> str:
    if len(among) == 1:
        engine, version = version_ranges.split(among[0])
        return f"{engine} {table.release(version)}"
    return " or ".join(dict.fromkeys(version_ranges.split(column)[0] for column in among))


def _knows(column: str, name: str, only_sentinel: bool) -> bool:
    return _in_sentinel(column, name) or (not only_sentinel and version_ranges.find(column, name) is not None)


def _all_names(among: Columns, only_sentinel: bool) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for column in among:
        found |= dict.fromkeys(sentinel.names(*version_ranges.split(column)))
        for row in () if only_sentinel else table.catalogue(*version_ranges.split(column)):
            found |= dict.fromkeys(each for each in (row.name, row.alias) if each)
    return tuple(found)
