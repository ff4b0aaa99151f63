"""Hold one directive of a description against the catalogue, for a known version or for all that may run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.faults import Taken, halves
from redis_fleet.model import Process, Words
from redis_fleet.rulebook import NEVER_STARTS, Rule, decides, declare

# What goes with the unit that runs a process: redis-fleet's own, or the one of a process that was adopted.
BY_UNIT = frozenset({"daemonize", "supervised", "pidfile"})
# What redis-fleet writes itself, and where the description says it instead.


class OwnKey(NamedTuple):
    """Where the description says what redis-fleet writes itself: in words, and the key to write, where it is one."""

    advice: str
    key: str = ""


OWN_KEYS = {
    "port": OwnKey("write 'port:' beside 'config:'", "port"),
    "bind": OwnKey("write 'bind:' beside 'config:'", "bind"),
    "requirepass": OwnKey("write 'password:' beside 'config:'", "password"),
    "masterauth": OwnKey("it is always the service's 'password:', or 'master-password:' for a master outside the file"),
    "primaryauth": OwnKey(
        "it is always the service's 'password:', or 'master-password:' for a master outside the file"
    ),
    "replicaof": OwnKey("write 'replicaof:' beside 'config:'", "replicaof"),
    "daemonize": OwnKey("redis-fleet sets it to suit the unit; take it out"),
    "supervised": OwnKey("redis-fleet sets it to suit the unit; take it out"),
    "pidfile": OwnKey("redis-fleet sets it to suit the unit; take it out"),
    "sentinel": OwnKey("what Sentinels shall know stands in the 'sentinel:' section"),
    "include": OwnKey("CONFIG REWRITE breaks included files; write the directives here"),
}
SENTINEL_OWN_KEYS = {
    "monitor": OwnKey("the services of this file are monitored; see 'name:' below a service's 'sentinel:'"),
    "auth-pass": OwnKey("it is always the service's 'password:'"),
}


INCLUDED = declare(
    "E10",
    "files that CONFIG REWRITE cannot replace, or that it breaks",
    reason="Sentinel makes a server rewrite its file at every failover: values of an included file are copied "
    "and shadow it from then on, save points are lost, users stand there twice; where the folder is not"
    " the server's to write to, the new role is not kept",
    source="measured on redis 7.0.15, 8.0.2 and valkey 8.1.1; redis issues 8572 and 11736",
    remedy="write all directives of a process into its one file",
    directives=("include",),
    firm="redis-fleet writes the whole file itself",
)

UNREADABLE = declare(
    "E11",
    "a password that Sentinel cannot read back",
    reason="Sentinel writes auth-pass into its file without quotes: it does not start again",
    source="measured on redis 6.0.16 to 8.0.6 and valkey 8.0.1 to 9.1.2; sentinel.c: rewriteConfigSentinelOption",
    remedy="use letters, digits and other signs",
    directives=("requirepass", "sentinel auth-pass", "sentinel sentinel-pass"),
    firm="Sentinel would not start a second time",
)

UNKNOWN = declare(
    "E16",
    "a directive that this version does not know",
    reason="the server ends with 'Bad directive or wrong number of arguments' at its start",
    source="config.c: loadServerConfigFromString; the catalogue of directives, held against the binaries",
    remedy="take it out, or write its name as that version has it",
    firm=NEVER_STARTS,
)


@dataclass(frozen=True)
class DirectiveCheck:
    """Either the directive's canonical name, lines and sensitivity, or what is wrong, the remedy and the rule.

    ``ignored``: every version that may run reads it and does nothing with it; it need not be written.
    ``taken``: a server starts with what is wrong; it is refused for what becomes of it.
    """

    name: str = ""
    lines: tuple[Words, ...] = ()
    sensitive: bool = False
    what: str = ""
    remedy: str = ""
    rule: Rule | None = None
    ignored: bool = False
    taken: bool = False


@decides(INCLUDED, UNKNOWN)
@lru_cache(maxsize=4096)
def server(
    engine: str,
    version: str | None,
    name: str,
    texts: tuple[str, ...],
    *,
    adopted: bool = False,
    modules: bool = False,
) -> DirectiveCheck:
    """Judge a redis.conf directive; without a version it is fine when any version of the engine takes it.

    What suits a unit is redis-fleet's to say, but not for processes that are ``adopted`` with theirs. A name that is
    unknown may be a module's where there are ``modules``: a loadmodule line beside it.
    """
    catalogues = [table.catalogue(engine, each) for each in _versions(engine, version)]
    knowing = [each for each in catalogues if name in each]
    if ignored(engine, version, name):
        return DirectiveCheck(name, ignored=True)
    if modules and (own := of_module(engine, version, name)):
        return _module_check(own, texts)
    if not knowing:
        return _unknown(engine, version, name, catalogues[-1].nearest(name))
    canonical = knowing[0].canonical_name(name)
    if canonical in OWN_KEYS and not (adopted and canonical in BY_UNIT):
        rule = INCLUDED if canonical == "include" else None
        return DirectiveCheck(what="is not set here", remedy=OWN_KEYS[canonical].advice, rule=rule)
    # The oldest version that takes the value shapes its lines: newer ones read them too, but not the other way round.
    for each in knowing:
        directive = each.find(name)
        assert directive is not None
        lines = values.lines(directive, texts)
        # No line at all would be written as an empty one, which nobody reads.
        if (lines or directive.type == "master") and values.problem(directive, lines) is None:
            return DirectiveCheck(canonical, lines, directive.sensitive)
    newest = knowing[-1].find(name)
    assert newest is not None
    return _wrong(values.problem(newest, values.lines(newest, texts)))


@lru_cache(maxsize=1024)
def ignored(engine: str, version: str | None, name: str) -> bool:
    """Say whether every version that may run reads a directive of that name and does nothing with it."""
    catalogues = [table.catalogue(engine, each) for each in _versions(engine, version)]
    return all(name not in each and each.ignored(name) for each in catalogues)


@lru_cache(maxsize=1024)
def of_module(engine: str, version: str | None, name: str) -> table.Directive | None:
    """Return a directive that no version which may run has, and that one of them leaves to modules.

    None for a name that looks like one of its own, mistyped.
    """
    catalogues = [table.catalogue(engine, each) for each in _versions(engine, version)]
    if any(name in each or each.ignored(name) or each.nearest(name, _MISTYPED) for each in catalogues):
        return None
    return next(filter(None, (each.of_module(name) for each in catalogues)), None)


def adds_up(engine: str, name: str) -> bool:
    """Say whether several lines of a directive add up, and no line is one less."""
    directive = table.catalogue(engine, table.versions(engine)[-1]).find(name)
    return directive is not None and directive.adds_up


@lru_cache(maxsize=1024)
def newest_name(engine: str, version: str | None, name: str) -> str:
    """Return what the newest version that may run calls a directive: two names of one have one of these."""
    for each in reversed(_versions(engine, version)):
        catalogue = table.catalogue(engine, each)
        if name in catalogue:
            return catalogue.canonical_name(name)
    return name


@lru_cache(maxsize=64)
def _versions(engine: str, version: str | None) -> tuple[str, ...]:
    return (table.nearest_version(engine, version),) if version else table.versions(engine)


def _wrong(problem: str | None) -> DirectiveCheck:
    """Return the answer for a value with a problem, or for one that makes no line at all."""
    what, remedy = halves(problem, "correct the value") if problem else ("has no value", "write one, or take it out")
    return DirectiveCheck(what=what, remedy=remedy, taken=isinstance(problem, Taken))


def _module_check(directive: table.Directive, texts: tuple[str, ...]) -> DirectiveCheck:
    if len(texts) > 1:
        return DirectiveCheck(
            what=f"takes one value, not {len(texts)}", remedy="write the words of its line as one text"
        )
    lines = tuple(map(values.words_of, texts))
    problem = values.problem(directive, lines)
    return _wrong(problem) if problem else DirectiveCheck(directive.name, lines)


def _unknown(engine: str, version: str | None, name: str, nearest: str | None) -> DirectiveCheck:
    where = f"{engine} {version}" if version else f"any version of {engine} that is known here"
    near = f"did you mean '{nearest}'?" if nearest else ""
    remedy = known_elsewhere(engine, version, name) or near or _as_of_module(engine, version, name)
    return DirectiveCheck(what=f"is not a directive of {where}", remedy=remedy, rule=UNKNOWN)


def known_elsewhere(engine: str, version: str | None, name: str) -> str:
    """Return which other versions have a server's directive, the same engine's first; empty where none has."""
    own = known_in_time(engine, version, name)
    if own:
        return f"{own}: say that 'version:', or take it out"
    others = sorted({column.partition("-")[0] for column in table.known_in(name)} - {engine})
    return f"it is one of {others[0]}: say 'engine: {others[0]}', or take it out" if others else ""


def known_in_time(engine: str, version: str | None, name: str) -> str:
    """Return since when, or until when, an engine has a directive that a version of it has not; else nothing."""
    own = [each for column in table.known_in(name) for found, each in [column.split("-", 1)] if found == engine]
    if not own or not version:
        return ""
    here = table.versions(engine).index(table.nearest_version(engine, version))
    newer = [each for each in own if table.versions(engine).index(each) > here]
    if newer:
        return f"{engine} has it since {table.release(newer[0])}"
    return f"{engine} had it until {table.release(own[-1])}"


_MISTYPED = 0.88  # how alike two names are, from 0 to 1
_MODULES_SIGN = re.compile(r"(bf|cf|ts|topk|search|json|vector)-|[^.]+\.")


def _as_of_module(engine: str, version: str | None, name: str) -> str:
    """Return what to do with a name that nobody knows."""
    if not _MODULES_SIGN.match(name):
        return "see the engine's own list of directives"
    if any(table.catalogue(engine, each).of_module(name) for each in _versions(engine, version)):
        return "what belongs to a module stands beside the 'loadmodule:' that loads it; add that, or take this out"
    return "this version takes what belongs to a module behind its path in 'loadmodule:', as an argument"


@decides(UNREADABLE, UNKNOWN)
@lru_cache(maxsize=1024)
def sentinel(
    engine: str, version: str | None, name: str, texts: tuple[str, ...], *, adopted: bool = False
) -> DirectiveCheck:
    """Judge a directive of sentinel.conf, written without the word ``sentinel``; the answer's name has it in front."""
    if name in SENTINEL_OWN_KEYS:
        return DirectiveCheck(what="is not set here", remedy=SENTINEL_OWN_KEYS[name].advice)
    versions = _versions(engine, version)
    for each in reversed(versions):
        directive = sentinel_table.find(engine, each, name)
        if directive is None:
            continue
        if directive.state:
            return DirectiveCheck(what="is state that Sentinel writes itself", remedy="take it out")
        lines = tuple(values.words_of(text) for text in texts)
        what = sentinel_table.problem(directive, lines)
        if what or not lines:
            rule = UNREADABLE if lines and directive.value.type == "token" else None
            return replace(_wrong(what if lines else None), rule=rule)
        return DirectiveCheck(f"sentinel {directive.name}", lines, directive.value.sensitive)
    if any(name in sentinel_table.ordinary(engine, each) for each in versions):
        return server(engine, version, name, texts, adopted=adopted)
    return _unknown_to_sentinel(engine, version, sentinel_table.nearest(engine, versions[-1], name))


def _unknown_to_sentinel(engine: str, version: str | None, nearest: str | None) -> DirectiveCheck:
    where = f"{engine} Sentinel {version}" if version else f"any version of {engine} Sentinel that is known here"
    remedy = f"did you mean '{nearest}'?" if nearest else "see the engine's own list of directives"
    return DirectiveCheck(what=f"is not a directive of {where}", remedy=remedy, rule=UNKNOWN)


@lru_cache(maxsize=1024)
def is_sentinel_directive(engine: str, version: str | None, name: str) -> str | None:
    """Return the scope (``global``, ``master``) of a ``sentinel NAME`` statement; None for an ordinary directive."""
    for each in reversed(_versions(engine, version)):
        directive = sentinel_table.find(engine, each, name)
        if directive is not None:
            return directive.scope
    return None


def persists(settings: Iterable[tuple[str, tuple[Words, ...]]]) -> bool:
    """Say whether settings keep data over a restart: save rules or an append only file."""
    return any(
        any(map(any, lines)) if name == "save" else name == "appendonly" and lines == (("yes",),)
        for name, lines in settings
    )


@lru_cache(maxsize=256)
def default_lines(engine: str, name: str) -> tuple[Words, ...]:
    """Return the newest version's default of a directive, as lines that every version reads."""
    oldest, newest = (table.catalogue(engine, table.versions(engine)[end]).find(name) for end in (0, -1))
    return values.lines(oldest, (newest.default,)) if oldest and newest and newest.default else ()


def value_of(engine: str, process: Process, name: str) -> str:
    """Return what a directive of one word is for a process: as described, else the newest version's default."""
    setting = process.setting(name)
    if setting:
        return setting.lines[0][0]
    directive = table.catalogue(engine, table.versions(engine)[-1]).find(name)
    return (directive.default if directive else None) or ""
