"""Clients that write through the Sentinels all the time, and keep what was acknowledged, and how."""

from __future__ import annotations

import threading
import time

from redis_fleet.agent import engine_words
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.load_client.writer import Bits
from redis_fleet.agent.messages.service import Instance
from redis_fleet.agent.protocol.resp import Connection, ReplyError
from redis_fleet.agent.replication.view import CONNECTION_ERRORS, connect
from tests.lives.history import BOTH, PLAIN, Written
from tests.lives.living import MONITOR, Living

_PAUSE, _REFUSED, _WAIT_MS = 0.015, 0.03, 100
_BATCH = 6


class Writer:
    """One client; each write sets the bit of its number."""

    def __init__(self, town: Living, number: int, how: str) -> None:
        """Prepare."""
        self._target, self._how, self.key = town.target, how, f"life:{len(town.past)}:{number}"
        self.acknowledged: list[Written] = []
        self._next, self._sentinel = 0, number
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the write that is under way."""
        self._ended.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._ended.is_set():
            try:
                with self._master() as (connection, place):
                    while not self._ended.wait(_PAUSE):
                        self._batch(connection, place)
            except CONNECTION_ERRORS:
                self._ended.wait(_REFUSED)

    def _master(self) -> _Open:
        """Ask one Sentinel after the other who is the master; only one that says so itself is written to."""
        self._sentinel += 1
        sentinel = self._target.sentinels[self._sentinel % len(self._target.sentinels)]
        with connect(self._target, sentinel, 0.3) as asked:
            address, port = asked.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MONITOR)
        connection = connect(self._target, Instance("", "", Endpoint(address, int(port))), 0.5)
        opened = _Open(connection, f"{address}:{port}")
        if engine_words.role(connection.call("ROLE")[0]) != engine_words.MASTER:
            connection.close()
            raise OSError("no master")
        return opened

    def _batch(self, connection: Connection, place: str) -> None:
        numbers = range(self._next, self._next + _BATCH)
        self._next += _BATCH
        commands: list[tuple[object, ...]] = [("SETBIT", self.key, number, 1) for number in numbers]
        if self._how == BOTH:
            commands.append(("WAIT", 2, _WAIT_MS))
        replies = connection.pipeline(commands)
        at = time.time()
        heard = replies.pop() if self._how == BOTH else 0
        both = isinstance(heard, int) and heard >= 2
        for number, reply in zip(numbers, replies, strict=True):
            if not isinstance(reply, ReplyError):
                self.acknowledged.append(Written(number, at, BOTH if both else PLAIN, place))
        refused = next((each for each in replies if isinstance(each, ReplyError)), None)
        if refused:
            raise refused


class _Open:
    """A connection to a master, and its place."""

    def __init__(self, connection: Connection, place: str) -> None:
        self._connection, self._place = connection, place

    def __enter__(self) -> tuple[Connection, str]:
        return self._connection, self._place

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def missing(stored: bytes, writes: list[Written]) -> list[Written]:
    """Return the writes whose bits are not set in what the master has."""
    bits = Bits()
    for each in writes:
        bits.add(each.number)
    if not bits.not_in(stored):
        return []
    return [each for each in writes if not _has(stored, each.number)]


def _has(stored: bytes, number: int) -> bool:
    return number // 8 < len(stored) and bool(stored[number // 8] & 0x80 >> number % 8)
