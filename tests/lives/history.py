"""What the Sentinels did, as their logs tell it, and which writes asynchronous replication cannot have lost. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

_PROMOTED = re.compile(r"^\d+:\w (\d+ \w+ \d{4} \d\d:\d\d:\d\d\.\d{3}) \S MASTER MODE enabled")
_SAID = re.compile(r"^(\d+\.\d+) \S+ \S+ redis-fleet: (.*)$")
_ENDED, _REPLACED, _LEFT = " has ended", " is the master in the place of ", ("left to the Sentinels", "nothing is done")
_END_SECONDS = 12.0
"""What a unit has for it at most."""
_LINE = re.compile(r"^\d+:X (\d+ \w+ \d{4} \d\d:\d\d:\d\d\.\d{3}) \S (\S+) ?(.*)$")
PLAIN, BOTH = "plain", "both"
"""How a write was acknowledged: by the master alone, or by both replicas too (WAIT 2)."""


@dataclass(frozen=True)
class Told:
    """A line of a Sentinel's log: when (wall clock, seconds), what happened, and to whom."""

    sentinel: str
    at: float
    event: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Promotion:
    """A server, by its place (ADDRESS:PORT), was told to become the master instead of another (empty: not known)."""

    at: float
    place: str
    old: str = ""


@dataclass(frozen=True)
class Written:
    """An acknowledged write: its number, when (wall clock), how, and which server (place) said so."""

    number: int
    at: float
    how: str
    place: str


@dataclass(frozen=True)
class Double:
    """Two servers (places) took writes at the same time (wall clock), for certain."""

    at: float
    places: frozenset[str]


def told(logs: Mapping[str, str], zone: tzinfo | None = None) -> list[Told]:
    """Read the logs of the Sentinels, by their ids, written in a time zone (None: this machine's); only the events."""
    found = [each for sentinel, text in logs.items() for each in _read(sentinel, text, zone)]
    return sorted(found, key=lambda each: each.at)


def _read(sentinel: str, text: str, zone: tzinfo | None) -> Iterator[Told]:
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[2][0] in "+-":
            yield Told(sentinel, _time(match[1], zone), match[2], tuple(match[3].split()))


def _time(text: str, zone: tzinfo | None) -> float:
    return datetime.strptime(text, "%d %b %Y %H:%M:%S.%f").replace(tzinfo=zone).timestamp()


def enthroned(logs: Mapping[str, str], zone: tzinfo | None = None) -> list[Promotion]:
    """Return every time that a server was told to be a master, whoever did it, by the servers' own logs (by place)."""
    found = [
        Promotion(_time(match[1], zone), place)
        for place, text in logs.items()
        for match in map(_PROMOTED.match, text.splitlines())
        if match
    ]
    return sorted(found, key=lambda each: each.at)


def replacements(journals: Iterable[str]) -> list[tuple[float, float]]:
    """Return from when to when units replaced masters that had ended, by journals (``--output short-unix``)."""
    return sorted(each for text in journals for each in _ends(text.splitlines()))


def _ends(lines: Iterable[str]) -> Iterator[tuple[float, float]]:
    began = 0.0
    for match in filter(None, map(_SAID.match, lines)):
        at = float(match[1])
        if began and (match[2].startswith(_LEFT) or _REPLACED in match[2]):
            yield began, at
            began = 0.0
        if match[2].endswith(_ENDED):
            began = at
    if began:
        yield began, began + _END_SECONDS


def disputed(
    doubles: Iterable[Double], promoted: Iterable[Promotion], safe: Iterable[float], excused: Iterable[float]
) -> list[Double]:
    """Return where two servers took writes at once that no Sentinels had brought about between two safe points.

    A Sentinel that replaces a living master leaves two for a while, and so do two Sentinels of which one ends in the
    middle of a failover: that is Redis. ``excused`` are times (wall clock) between which and the next safe point nobody
    could help it.
    """
    bounds, failovers, free = sorted(safe), list(promoted), list(excused)
    found = []
    for double in doubles:
        since = max((each for each in bounds if each <= double.at), default=0.0)
        theirs = [each for each in failovers if since <= each.at <= double.at]
        sentinels = double.places <= {each.place for each in theirs} or double.places & {each.old for each in theirs}
        if not sentinels and not any(since <= each <= double.at for each in free):
            found.append(double)
    return found


def promotions(lines: Iterable[Told]) -> list[Promotion]:
    """Return every time that a Sentinel promoted a server itself."""
    # "slave ADDRESS:PORT ADDRESS PORT @ NAME MASTER PORT"
    wanted = (each for each in lines if each.event == "+failover-state-send-slaveof-noone")
    return [Promotion(each.at, each.words[1], f"{each.words[6]}:{each.words[7]}") for each in wanted]


def unelected(lines: Iterable[Told], epochs: Iterable[int], ids: Iterable[str], sentinels: int) -> list[str]:
    """Return what is wrong with the epochs that masters were named in (``epochs``), each a sentence.

    Each has to be won: by a Sentinel (``ids`` are their 40 digits) that elected itself, which a hand may order without
    a vote, or by somebody else with the votes of a majority.
    """
    cast: dict[int, dict[str, set[str]]] = {}
    for each in lines:
        if each.event == "+vote-for-leader":
            leader, epoch = each.words[0], int(each.words[1])
            cast.setdefault(epoch, {}).setdefault(leader, set()).add(each.sentinel)
    found, own = [], set(ids)
    for epoch in sorted(set(epochs)):
        votes = cast.get(epoch, {})
        if own & votes.keys() or any(len(voters) > sentinels // 2 for voters in votes.values()):
            continue
        counted = {leader[:8]: len(voters) for leader, voters in votes.items()}
        found.append(f"a master was named in epoch {epoch}, which nobody had won: votes {counted}")
    return found


def required(
    writes: Iterable[Written],
    promoted: Iterable[Promotion],
    safe: Iterable[float],
    ended: Iterable[tuple[float, str]],
) -> list[Written]:
    """Return the writes that have to be there in the end; the docstring of machine.py says why these.

    ``safe`` are the times (wall clock) at which all three servers had everything, ``ended`` the times at which a server
    (place) was killed.
    """
    bounds, failovers, deaths = sorted(safe), list(promoted), list(ended)
    found = []
    for write in writes:
        since = max((each for each in bounds if each <= write.at), default=0.0)
        until = min((each for each in bounds if each > write.at), default=float("inf"))
        within = [each for each in failovers if since <= each.at < until]
        reborn = {place for at, place in deaths if since <= at < until}
        if not within or (write.how == BOTH and not any(each.place in reborn for each in within)):
            found.append(write)
    return found
