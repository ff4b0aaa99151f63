"""Which versions: sets of the table's columns, in words and grouped by what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from redis_fleet.catalogue.table import Directive, catalogue, nearest_version, release, versions

ENGINES = ("redis", "valkey")


@dataclass(frozen=True)
class VersionGroup:
    """What some versions say alike, and those versions in words; no words where nobody differs."""

    text: str
    where: str = ""


@dataclass(frozen=True)
class VersionSpan:
    """Which versions of an engine know a name, as ``7.0``.

    ``since`` is the first; the table's oldest may not be the first ever. ``until`` is the last, None where the newest
    still knows it. ``ignored_from``: the first that reads the name and does nothing with it, None where none does.
    """

    engine: str
    since: str
    until: str | None
    ignored_from: str | None
    text: str


def columns(engine: str | None = None, version: str | None = None) -> tuple[str, ...]:
    """Return the table's columns: all, those of an engine, or the one nearest to a version (of redis, if none is said).

    ValueError for an unknown engine and for a version without a number.
    """
    if version is not None:
        engine = engine or ENGINES[0]
        return (f"{engine}-{nearest_version(engine, version)}",)
    return tuple(f"{each}-{version}" for each in ((engine,) if engine else ENGINES) for version in versions(each))


def split(column: str) -> tuple[str, str]:
    """Return a column's engine and version."""
    engine, version = column.split("-", 1)
    return engine, version


def find(column: str, name: str) -> Directive | None:
    """Return the directive that a name or alias stands for in a column; None where it is not known."""
    return catalogue(*split(column)).find(name)


def rows(name: str, among: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that have a directive under exactly that name, not as an alias."""
    return tuple(column for column in among if (found := find(column, name)) is not None and found.name == name)


def in_words(chosen: Iterable[str]) -> str:
    """Return versions in words: ``redis 6.2 and later, every valkey``; ``every version`` for all."""
    chosen = frozenset(chosen)
    if chosen >= frozenset(columns()):
        return "every version"
    return ", ".join(text for engine in ENGINES if (text := _of_engine(engine, chosen)))


def grouped(texts: Iterable[tuple[str, str]]) -> tuple[VersionGroup, ...]:
    """VersionGroup columns, given with a text each, by that text; the newest version's group is the last."""
    found: dict[str, list[str]] = {}
    for column, text in texts:
        found.setdefault(text, []).append(column)
    if len(found) == 1:
        return (VersionGroup(next(iter(found))),)
    return tuple(VersionGroup(text, in_words(own)) for text, own in found.items())


def differences(name: str, among: Iterable[str], say: Callable[[Directive], str]) -> tuple[VersionGroup, ...]:
    """Return what ``say`` says of a directive (of its default, for example) in each version, grouped."""
    return grouped((column, say(found)) for column in rows(name, among) if (found := find(column, name)) is not None)


def known(name: str, own: Iterable[str]) -> tuple[VersionSpan, ...]:
    """Return the versions of a name, given as the columns that know it, for each engine that has any."""
    by_engine: dict[str, list[str]] = {}
    for column in own:
        by_engine.setdefault(split(column)[0], []).append(column)
    return tuple(_span(engine, name, columns_of) for engine, columns_of in by_engine.items())


def _span(engine: str, name: str, own: list[str]) -> VersionSpan:
    every = versions(engine)
    last = split(own[-1])[1]
    ignoring = [version for version in every if catalogue(engine, version).ignored(name)]
    ignored_from = release(ignoring[0]) if ignoring else None
    text = _of_engine(engine, frozenset(own)) + (f" (read and ignored from {ignored_from} on)" if ignored_from else "")
    return VersionSpan(
        engine, release(split(own[0])[1]), None if last == every[-1] else release(last), ignored_from, text
    )


def _of_engine(engine: str, chosen: frozenset[str]) -> str:
    every = versions(engine)
    inside = [f"{engine}-{version}" in chosen for version in every]
    if all(inside):
        return f"every {engine}"
    runs = list(_runs(inside))
    return f"{engine} {', '.join(_run(every, *run) for run in runs)}" if runs else ""


def _runs(inside: list[bool]) -> Iterable[tuple[int, int]]:
    start = None
    for place, one in enumerate([*inside, False]):
        if one and start is None:
            start = place
        elif not one and start is not None:
            yield start, place - 1
            start = None


def _run(every: tuple[str, ...], first: int, last: int) -> str:
    if last == len(every) - 1:
        return f"{release(every[first])} and later"
    if first == 0:
        return f"until {release(every[last])}"
    if first == last:
        return release(every[first])
    return f"{release(every[first])} {'and' if last == first + 1 else 'to'} {release(every[last])}"
