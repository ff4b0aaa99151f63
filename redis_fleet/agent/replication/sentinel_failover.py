"""Order one Sentinel to fail over, watch who is promoted, and call the order off when nobody is.

Valkey 9 has SENTINEL FAILOVER ... COORDINATED, which pauses the master's clients and lets it swap roles itself.
Measured with Valkey 9.1.2 on loopback (one writer through the Sentinels, four runs each): no write lost by either,
writes stopped for 1105 - 1315 ms with COORDINATED and for 309 - 469 ms with the fence and a plain order. It elects a
leader first and keeps clients waiting until their own timeouts. So the fence is used on every engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from .. import engine_words
from ..messages.service import Instance, ServiceAccess
from ..protocol.resp import ReplyError, pairs
from .agreement import name_of
from .connections import Servers
from .view import CONNECTION_ERRORS, connect, describe_error, map_parallel, sentinel_view

PROMOTION = 5.0
CALL_OFF = 40.0
"""Seconds; a Sentinel that found something odd with its clock (TILT) does nothing for 30 s."""
PAUSE = 0.01
_TIMEOUT = "failover-timeout"


class StillUnderWayError(Exception):
    """A Sentinel may still promote a replica: the old master must not take writes. The text says what to do."""


class SentinelOrder:
    """One SENTINEL FAILOVER; ``given`` once a Sentinel may have taken it, ``why`` nobody was promoted."""

    def __init__(self, target: ServiceAccess, servers: Servers, old: str, note: Callable[[str], None]) -> None:
        """Prepare; nothing is ordered yet."""
        self._target, self._servers, self._old, self._note = target, servers, old, note
        self._sick: dict[str, float] = {}
        self.given = False
        self.why = ""

    def promote(self, replicas: Iterable[str]) -> str:
        """Order the failover and return the id of the replica that was promoted; empty when certainly none was.

        Raises StillUnderWayError when that is not certain.
        """
        names = list(replicas)
        sentinel = self._give()
        if sentinel is None:
            return ""
        master = self._await_master(names, PROMOTION)
        if master:
            return master
        self.why = f"no replica was promoted within {PROMOTION:.0f} s after the order to {sentinel.id}"
        return self._call_off(sentinel, names)

    def _give(self) -> Instance | None:
        for node in self._target.sentinels:
            try:
                with connect(self._target, node) as connection:
                    self.given = True
                    connection.call("SENTINEL", "FAILOVER", self._target.monitor)
            except ReplyError as error:
                # INPROG: somebody else's failover is under way, and what it promotes is what counts.
                self.given = error.code == "INPROG"
                if not self.given:
                    self.why = f"{node.id} refused the failover: {error}"
                    return None
            except OSError as error:
                if not self.given:
                    continue
                self._note(f"{node.id} took the order, perhaps ({describe_error(error)})")
            self._note(f"{node.id} was told to fail over")
            return node
        self.why = "no Sentinel could be told to fail over"
        return None

    def _await_master(self, names: list[str], seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while True:
            master = self._find(names)
            if master or time.monotonic() > deadline:
                return master
            time.sleep(PAUSE)

    def _find(self, names: list[str]) -> str:
        """Return the id of the one that says that it is a master; one that does not answer is asked once a second."""
        for name in names:
            if time.monotonic() < self._sick.get(name, 0):
                continue
            try:
                if self._servers.is_master(name):
                    return name
            except CONNECTION_ERRORS:
                self._sick[name] = time.monotonic() + 1
        return ""

    def _call_off(self, sentinel: Instance, names: list[str]) -> str:
        """Make the Sentinel give up, wait until none is at it, and look a last time; returns who is master after all.

        There is no command for it, but a failover whose replica does not answer ends after the failover-timeout, which
        the Sentinel reads anew each time (sentinelFailoverSendSlaveOfNoOne, sentinelFailoverWaitPromotion).
        """
        self._note(f"calling the failover off at {sentinel.id}")
        usual = self._shorten(sentinel)
        try:
            deadline = time.monotonic() + CALL_OFF
            while self._under_way():
                master = self._find(names)
                if master:
                    return master
                if time.monotonic() > deadline:
                    raise StillUnderWayError(
                        f"{self.why}, and it is still under way: {self._old} keeps refusing writes so that none is"
                        " lost; run the switchover again when the failover has ended"
                    )
                time.sleep(PAUSE * 10)
        finally:
            self._set_timeout(sentinel, usual)
        self._sick = {}
        return self._find(names)

    def _shorten(self, sentinel: Instance) -> str:
        """Return the failover-timeout of before."""
        try:
            with connect(self._target, sentinel) as connection:
                usual = pairs(connection.call("SENTINEL", "MASTER", self._target.monitor))[_TIMEOUT]
        except CONNECTION_ERRORS:
            usual = str(self._target.failover_timeout_ms)
        self._set_timeout(sentinel, "1")
        return usual

    def _set_timeout(self, sentinel: Instance, value: str) -> None:
        try:
            with connect(self._target, sentinel) as connection:
                connection.call("SENTINEL", "SET", self._target.monitor, _TIMEOUT, value)
        except CONNECTION_ERRORS as error:
            self._note(f"{sentinel.id} did not take {_TIMEOUT} {value}: {describe_error(error)}")

    def _under_way(self) -> bool:
        """Whether a Sentinel that answers is failing over, or one names another master already."""
        seen = map_parallel(lambda node: sentinel_view(self._target, node), self._target.sentinels)
        return any(
            engine_words.any_of(one.flags, engine_words.FAILING_OVER) or name_of(self._target, one.master) != self._old
            for one in seen
            if not one.problem
        )
