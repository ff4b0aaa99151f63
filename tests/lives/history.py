"""What the Sentinels did, as their logs tell it, and which writes asynchronous replication cannot have lost. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

_PROMOTED = re.compile(r"^\d+:\w (\d+ \w+ \d{4} \d\d:\d\d:\d\d\.\d{3}) \S MASTER MODE enabled")
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
    """A server, by its port, was told to become the master in the place of another (0: not known)."""

    at: float
    port: int
    old: int = 0


@dataclass(frozen=True)
class Written:
    """An acknowledged write: its number, when (wall clock), how, and which server (port) said so."""

    number: int
    at: float
    how: str
    port: int


@dataclass(frozen=True)
class Double:
    """Two servers (ports) took writes at the same time (wall clock), for certain."""

    at: float
    ports: frozenset[int]


def told(logs: Mapping[str, str]) -> list[Told]:
    """Read the logs of the Sentinels, by their ids; what is no event is left out."""
    found = [each for sentinel, text in logs.items() for each in _read(sentinel, text)]
    return sorted(found, key=lambda each: each.at)


def _read(sentinel: str, text: str) -> Iterator[Told]:
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[2][0] in "+-":
            yield Told(sentinel, _time(match[1]), match[2], tuple(match[3].split()))


def _time(text: str) -> float:
    return datetime.strptime(text, "%d %b %Y %H:%M:%S.%f").timestamp()


def enthroned(logs: Mapping[int, str]) -> list[Promotion]:
    """Return every time that a server was told to be a master, whoever did it, by the servers' own logs (by port)."""
    found = [
        (port, match[1]) for port, text in logs.items() for match in map(_PROMOTED.match, text.splitlines()) if match
    ]
    return sorted((Promotion(_time(at), port) for port, at in found), key=lambda each: each.at)


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
        sentinels = double.ports <= {each.port for each in theirs} or double.ports & {each.old for each in theirs}
        if not sentinels and not any(since <= each <= double.at for each in free):
            found.append(double)
    return found


def promotions(lines: Iterable[Told]) -> list[Promotion]:
    """Return every time that a Sentinel promoted a server itself."""
    # "slave ADDRESS:PORT ADDRESS PORT @ NAME MASTER PORT"
    wanted = (each for each in lines if each.event == "+failover-state-send-slaveof-noone")
    return [Promotion(each.at, int(each.words[3]), int(each.words[7])) for each in wanted]


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
    ended: Iterable[tuple[float, int]],
) -> list[Written]:
    """Return the writes that have to be there in the end; the docstring of machine.py says why these.

    ``safe`` are the times (wall clock) at which all three servers had everything, ``ended`` the times at which a server
    (port) was killed.
    """
    bounds, failovers, deaths = sorted(safe), list(promoted), list(ended)
    found = []
    for write in writes:
        since = max((each for each in bounds if each <= write.at), default=0.0)
        until = min((each for each in bounds if each > write.at), default=float("inf"))
        within = [each for each in failovers if since <= each.at < until]
        reborn = {port for at, port in deaths if since <= at < until}
        if not within or (write.how == BOTH and not any(each.port in reborn for each in within)):
            found.append(write)
    return found
