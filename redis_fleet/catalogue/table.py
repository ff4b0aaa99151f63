"""The table of redis.conf directives: one row each, read for one engine and version.

The rows are ``redis-directives.json``; its ``_about`` says what the columns mean. Nothing else lists directives.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

Live = Literal["config-set", "restart", "protected", "runtime-command"]
Row = Mapping[str, Any]
NUMBERS = ("integer", "memory", "octal")
# Which names a version leaves to modules, by the table's word for it.
_MODULES_OWN = {
    "none": re.compile(r"(?!)"),
    "dotted": re.compile(r"[^\s.]+\.\S+"),
    "any": re.compile(r"[a-z0-9][a-z0-9._-]*"),
}


@dataclass(frozen=True, eq=False)
class Directive:
    """What one version of one engine knows about a directive.

    ``type`` is a key of ``values.TYPES``. ``default`` is the text that CONFIG GET prints on a fresh server, None where
    there is none (``dir``, ``user``, ``loadmodule`` ...). ``minimum`` and ``maximum`` are numbers, bytes for memory.
    ``live`` says how a change reaches a running server: ``config-set``; ``restart``; ``protected`` (CONFIG SET needs
    enable-protected-configs); ``runtime-command`` (a command of its own: REPLICAOF, ACL SETUSER, MODULE LOAD).
    ``many_words``: a line may have several words. ``repeatable``: several lines add up. ``file_only``: CONFIG GET does
    not know it. ``hidden``: CONFIG GET answers it only by its full name. ``set_only``: CONFIG SET takes it, no file may
    hold it. ``sensitive``: the value is a secret.
    ``version`` is the column it was read from, such as ``redis-7.0.15``. ``does`` and ``costs``: a line each, what it
    is for and what other values cost. ``example``: a value as YAML writes it, where the default would not show much.
    ``takes``: the numbers that a file may hold, where they are more than the limits: the server makes the nearest one
    inside of others. ``digits``: a number is read as far as its digits go, and must then be one of these (Sentinel).
    ``form``: a key of ``forms.FORMS``, what a text must look like.
    ``unit``: what its process needs of the systemd unit, a key of ``unit_needs.NEEDS``; empty where that is plain.
    """

    name: str
    type: str
    section: str
    version: str
    live: Live
    default: str | None = None
    choices: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, str], ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    takes: tuple[int, int] | None = None
    digits: tuple[int, int] | None = None
    percent: bool = False
    sensitive: bool = False
    many_words: bool = False
    repeatable: bool = False
    file_only: bool = False
    hidden: bool = False
    set_only: bool = False
    alias: str | None = None
    does: str = ""
    costs: str = ""
    example: str = ""
    form: str = ""
    unit: str = ""

    @property
    def clamped(self) -> bool:
        """Whether the server makes the nearest number within the limits of one outside."""
        return self.takes is not None

    @property
    def adds_up(self) -> bool:
        """Say whether each line is one thing more, and no line is none: users, modules, renamed commands."""
        return self.repeatable and self.type not in ("save", "client-buffers")


class Catalogue:
    """Every directive that one version of an engine knows, found by name or alias, whatever its case.

    ``engine`` is ``redis`` or ``valkey``; ``version`` the table's version, such as ``7.0.15``.
    """

    def __init__(self, engine: str, version: str) -> None:
        """Read the column of a version that ``versions(engine)`` lists; use ``catalogue`` instead."""
        self.engine = engine
        self.version = version
        self._column = f"{engine}-{version}"
        rows = _table()["directives"]
        self._rows: dict[str, Row] = {name: row for name, row in rows.items() if known(row, self._column)}
        self._aliases = {row["alias"]: name for name, row in self._rows.items() if "alias" in row}
        self._ignored = frozenset(_table()["accepted_but_ignored"][self._column])
        self._of_modules: str = _table()["module_directives"][self._column]
        self._made: dict[str, Directive] = {}

    def __contains__(self, name: str) -> bool:
        return self.canonical_name(name) in self._rows

    def __iter__(self) -> Iterator[Directive]:
        return (self._make(name) for name in self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, name: str) -> Directive | None:
        """Return the directive of that name or alias; None when this version does not know it."""
        name = self.canonical_name(name)
        return self._make(name) if name in self._rows else None

    def canonical_name(self, name: str) -> str:
        """Return the name that CONFIG REWRITE writes (``slaveof`` → ``replicaof``); an unknown name in lower case."""
        name = name.lower()
        return self._aliases.get(name, name)

    @cached_property
    def defaults(self) -> Mapping[str, Directive]:
        """Every directive that has a default, by its canonical name."""
        return {directive.name: directive for directive in self if directive.default is not None}

    def nearest(self, name: str, alike: float = 0.7) -> str | None:
        """Return the known name or alias most like a mistyped one, if any is as like it as that (1 is the same)."""
        return nearest_of(name, (*self._rows, *self._aliases), alike)

    def ignored(self, name: str) -> bool:
        """Say whether this version reads a directive of that name and does nothing with it."""
        return name.lower() in self._ignored

    def of_module(self, name: str) -> Directive | None:
        """Return a directive that only a module can know, as this version reads its line; None where it reads none.

        A server that has no module of that directive does not start with it (7.0: names with a dot; redis 8.0: any).
        """
        name = name.lower()
        if name in self or self.ignored(name) or not _MODULES_OWN[self._of_modules].fullmatch(name):
            return None
        return Directive(name, "of-module", "Modules", self._column, "restart", many_words=True)

    def meant(self, name: str) -> Directive | None:
        """Return the directive of a name that stands in a process's settings: the version's own, else a module's."""
        return self.find(name) or self.of_module(name)

    def _make(self, name: str) -> Directive:
        if name not in self._made:
            self._made[name] = directive(name, self._rows[name], self._column)
        return self._made[name]


@cache
def catalogue(engine: str, version: str) -> Catalogue:
    """Return the directives of the table's version nearest to that one; made once each. ValueError as ``versions``."""
    nearest = nearest_version(engine, version)
    return Catalogue(engine, nearest) if nearest == version else catalogue(engine, nearest)


@cache
def versions(engine: str) -> tuple[str, ...]:
    """Return the table's versions of an engine (``redis`` or ``valkey``), oldest first; ValueError for another."""
    columns = (column.split("-", 1) for column in _table()["versions"])
    found = tuple(sorted((version for name, version in columns if name == engine), key=_numbers))
    if not found:
        raise ValueError(f"no engine '{engine}' in the table of directives")
    return found


@lru_cache(maxsize=256)
def nearest_version(engine: str, version: str) -> str:
    """Return the table's version for a running one: same major.minor, else the closest lower one, else the lowest.

    ValueError for an unknown engine or a version without a number (``latest``).
    """
    wanted = _numbers(version)[:2]
    lower = [known for known in versions(engine) if _numbers(known)[:2] <= wanted]
    return lower[-1] if lower else versions(engine)[0]


def known_in(name: str) -> tuple[str, ...]:
    """Return the columns (``redis-8.0.6`` ...) that know a name or alias; empty when none does."""
    columns = (column.split("-", 1) for column in _table()["versions"])
    return tuple(f"{engine}-{version}" for engine, version in columns if name in catalogue(engine, version))


@cache
def unit_needs() -> Mapping[str, str]:
    """Return what each directive needs of the unit (the column ``unit``), by name; of those that have an entry."""
    return {name: row["unit"] for name, row in _table()["directives"].items() if "unit" in row}


def sections() -> tuple[str, ...]:
    """Return the headings of redis.conf in the order of a rendered file."""
    return tuple(_table()["sections"])


def nearest_of(name: str, names: tuple[str, ...], alike: float = 0.7) -> str | None:
    """Return the name most like a mistyped one, if any is like it."""
    return next(iter(difflib.get_close_matches(name.lower(), names, n=1, cutoff=alike)), None)


def known(row: Row, column: str) -> bool:
    """Say whether the version of a column (``redis-7.0.15``) has this row."""
    return "only_in" not in row or column in row["only_in"]


def directive(name: str, row: Row, column: str) -> Directive:
    """Make the directive of one row as one column has it."""
    row = merged(row, column)
    default = row.get("default")
    return Directive(
        name=name,
        type=row["type"],
        section=row["section"],
        version=column,
        live=row["live"],
        default=None if default is None else str(default),
        choices=tuple(row.get("choices", ())),
        synonyms=tuple(row.get("synonyms", {}).items()),
        minimum=row.get("min", 0 if row["type"] in NUMBERS else None),
        maximum=row.get("max"),
        takes=_pair(row.get("takes")),
        digits=_pair(row.get("digits")),
        alias=row.get("alias"),
        **{text: row.get(text, "") for text in _TEXTS},
        **{flag: row.get(flag, False) for flag in _FLAGS},
    )


def _pair(numbers: list[int] | None) -> tuple[int, int] | None:
    return (numbers[0], numbers[1]) if numbers else None


def merged(row: Row, column: str) -> Row:
    """Return a row with what differs in that column put over it."""
    for difference in row.get("differs", ()):
        if column in difference["in"]:
            row = {**row, **difference}
    return row


def release(version: str) -> str:
    """Return major and minor of a version: every patch of them has the same directives."""
    return ".".join(version.split(".")[:2])


def same_release(described: str | None, found: str) -> bool:
    """Say whether a version is of the described release: by as many of the first two numbers as are described."""
    wanted = described.split(".")[:2] if described else []
    return found.split(".")[: len(wanted)] == wanted


_FLAGS = ("percent", "sensitive", "many_words", "repeatable", "file_only", "hidden", "set_only")
_TEXTS = ("does", "costs", "example", "form", "unit")


@lru_cache(maxsize=1)
def _table() -> Any:
    return json.loads(Path(__file__).with_name("redis-directives.json").read_text("utf-8"))


def _numbers(version: str) -> tuple[int, ...]:
    numbers = re.match(r"\d+(\.\d+)*", version)
    if numbers is None:
        raise ValueError(f"'{version}' is not a version such as 7.0.15")
    return tuple(int(part) for part in f"{numbers[0]}.0".split("."))
