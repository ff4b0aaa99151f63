"""Writers: one that knows afterwards what of its acknowledged writes is missing, and how many fit into a second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType

from redis_fleet.agent.protocol.resp import Connection, ReplyError
from redis_fleet.drills.lab import Server

_BATCH = 1000


@dataclass(frozen=True)
class Loss:
    """What a crash left of acknowledged writes; ``oldest`` is how long before it the first lost one was acknowledged.

    ``oldest`` is in seconds, 0 when nothing is lost.
    """

    acknowledged: int
    kept: int
    oldest: float

    @property
    def lost(self) -> int:
        """How many acknowledged writes are missing."""
        return self.acknowledged - self.kept

    @property
    def share(self) -> float:
        """What was kept, in per cent."""
        return 100 * self.kept / self.acknowledged if self.acknowledged else 100.0


class Counting:
    """Counts up one key, one INCR after the other, until it is left or its server is gone.

    Each acknowledgement is the number itself, so what the key holds after a restart tells what was lost.
    """

    def __init__(self, server: Server, key: str) -> None:
        """Prepare; the key must not be there."""
        self._server, self._key = server, key
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count, name="writer", daemon=True)
        self._acknowledged: list[float] = []

    def __enter__(self) -> Counting:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def acknowledged(self) -> int:
        """How many writes were acknowledged so far."""
        return len(self._acknowledged)

    def loss(self, kept: int, crashed: float) -> Loss:
        """Return what a crash at ``crashed`` (time.monotonic) cost when the key holds ``kept`` afterwards."""
        there = min(kept, self.acknowledged)
        oldest = max(0.0, crashed - self._acknowledged[there]) if there < self.acknowledged else 0.0
        return Loss(self.acknowledged, there, oldest)

    def _count(self) -> None:
        try:
            with self._server.client() as connection:
                while not self._over.is_set():
                    connection.call("INCR", self._key)
                    self._acknowledged.append(time.monotonic())
        except (OSError, ReplyError):
            return  # its server was killed, which is what it is here for


def rate(connection: Connection, key: str, seconds: float) -> float:
    """Return how many writes a second one client gets acknowledged that waits for each."""
    began = time.monotonic()
    count = 0
    while time.monotonic() < began + seconds:
        connection.call("INCR", key)
        count += 1
    return count / (time.monotonic() - began)


def fill(connection: Connection, count: int, length: int) -> None:
    """Write ``count`` keys ``key:N`` of ``length`` letters each, no two the same."""
    body = "0123456789abcdef" * (length // 16 + 1)
    for start in range(0, count, _BATCH):
        words: list[object] = ["MSET"]
        for number in range(start, min(start + _BATCH, count)):
            words += [f"key:{number}", f"{number * 2654435761 % 2**40:010x}{body}"[:length]]
        connection.call(*words)
