"""Somebody who writes to all servers all the time, and sees where two take writes at once."""

from __future__ import annotations

import threading
import time

from redis_fleet.agent.messages.service import Instance
from redis_fleet.agent.protocol.resp import Connection
from redis_fleet.agent.replication.view import CONNECTION_ERRORS, connect
from tests.lives.history import Double
from tests.lives.living import Living

KEY = "life:watched"
_PAUSE, _TIMEOUT, _STALE = 0.02, 0.2, 1.0


class Watcher:
    """Writes one after the other; ``doubles`` are what it saw."""

    def __init__(self, town: Living) -> None:
        """Prepare."""
        self._target = town.target
        self._connections: dict[str, Connection] = {}
        # Of each server the last write that it took, with none refused since.
        self._took: dict[str, float] = {}
        self.doubles: list[Double] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join()
        for connection in self._connections.values():
            connection.close()

    def _watch(self) -> None:
        while not self._ended.wait(_PAUSE):
            for member in self._target.members:
                self._try(member)

    def _try(self, member: Instance) -> None:
        place, sent = str(member.announced), time.monotonic()
        if not self._takes(member, place):
            self._took.pop(place, None)
            return
        last = self._took.get(place, 0.0)
        # Who took one between two of this server took it while this one was a master.
        if sent - last < _STALE:
            others = [each for each, at in self._took.items() if each != place and last < at < sent]
            self.doubles += [Double(time.time(), frozenset({place, each})) for each in others]
        self._took[place] = time.monotonic()

    def _takes(self, member: Instance, place: str) -> bool:
        try:
            if place not in self._connections:
                self._connections[place] = connect(self._target, member, _TIMEOUT)
            return bool(self._connections[place].call("SET", KEY, "1") == "OK")
        except CONNECTION_ERRORS as error:
            if isinstance(error, OSError) and place in self._connections:
                self._connections.pop(place).close()
            return False
