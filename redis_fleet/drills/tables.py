"""A table of commands with their documented replies, run on the master and, what reads, on every replica too."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.drills.context import Client, Place
from redis_fleet.drills.expect import ANYTHING
from redis_fleet.drills.transcript import Notebook, command, judged, shown

_KEY = re.compile(r"\{([^}]+)\}")
# How long replicas are waited for in a whole drill; one that never catches up must not be waited for at every row.
_PATIENCE, _LEAST = 5.0, 0.05
_READING = """
    GET MGET STRLEN GETRANGE TTL PTTL EXISTS TYPE GETBIT BITCOUNT BITPOS HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS
    LRANGE LLEN LINDEX SMEMBERS SCARD SRANDMEMBER SISMEMBER SDIFF SINTER SUNION ZRANGE ZREVRANGE ZRANGEBYSCORE
    ZREVRANGEBYSCORE ZSCORE ZCOUNT ZCARD ZRANK ZREVRANK
    """
READING = frozenset(_READING.split())


@dataclass(frozen=True)
class Row:
    """One command as one would type it, with its keys in braces, and what the documentation says it replies."""

    text: str
    expected: Any = ANYTHING
    meaning: str = ""

    @property
    def reads(self) -> bool:
        """Whether a replica answers it with the same."""
        return self.text.split(" ", 1)[0] in READING

    @property
    def keys(self) -> list[str]:
        """The keys in it."""
        return _KEY.findall(self.text)

    def words(self, key: Callable[[str], str]) -> tuple[str, ...]:
        """Return the command with its real keys."""
        return tuple(_keyed(word, key) for word in shlex.split(self.text))

    def expectation(self, key: Callable[[str], str]) -> Any:
        """Return what is expected with its real keys."""
        if isinstance(self.expected, list):
            return [_keyed(each, key) if isinstance(each, str) else each for each in self.expected]
        return _keyed(self.expected, key) if isinstance(self.expected, str) else self.expected


def _keyed(text: str, key: Callable[[str], str]) -> str:
    return _KEY.sub(lambda found: key(found[1]), text)


@dataclass
class Replicas:
    """The replicas of a master, asked after they have what was written; ``left`` seconds of patience are left."""

    master: Client
    all: list[Client]
    left: float = _PATIENCE
    asked: int = 0
    differing: dict[str, list[str]] = field(default_factory=dict)

    def again(self, words: tuple[str, ...], expected: Any) -> None:
        """Send a reading command to each and note which reply is not as expected."""
        if not self.all:
            return
        self._wait()
        self.asked += 1
        for replica in self.all:
            try:
                reply = replica.call(*words)
            except ReplyError as error:
                reply = error
            text, ok = judged(expected, reply)
            if not ok:
                self.differing.setdefault(replica.name, []).append(f"{command(words)}: {shown(reply)}, not {text}")

    def tell(self, book: Notebook) -> None:
        """Note for each what came of the commands since the last time."""
        for replica in self.all:
            differing = self.differing.get(replica.name, [])
            book.check(
                f"the {self.asked} reading commands again",
                differing[0] + _more(differing) if differing else f"{self.asked} replies as documented",
                ok=not differing,
                expected="the same replies as from the master",
                meaning="" if differing else "a replica answers everything that only reads",
                where=replica.name,
            )
        self.asked = 0
        self.differing = {}

    def _wait(self) -> None:
        began = time.monotonic()
        self.master.call("WAIT", len(self.all), round(max(self.left, _LEAST) * 1000))
        self.left -= time.monotonic() - began


def _more(differing: Sequence[str]) -> str:
    return f" (and {len(differing) - 1} more)" if len(differing) > 1 else ""


def show(place: Place, book: Notebook, replicas: Replicas, title: str, rows: Sequence[Row]) -> None:
    """Run the rows of one part; their keys are removed afterwards, whatever happens."""
    book.part(title)
    try:
        for row in rows:
            words, expected = row.words(place.key), row.expectation(place.key)
            book.do(replicas.master, *words, expect=expected, meaning=row.meaning)
            if row.reads:
                replicas.again(words, expected)
        replicas.tell(book)
    finally:
        replicas.master.call("DEL", *{place.key(name) for row in rows for name in row.keys})
