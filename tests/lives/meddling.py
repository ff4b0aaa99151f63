"""What happens in the middle of a hand-over, counted in commands that change something.

In the process that hands over: an errand's, or the one that a unit calls, which has the agent's modules and no others.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.unit_handover import KNOWLEDGE, UnitHandover
from redis_fleet.agent.process import unit_handover
from redis_fleet.agent.protocol.resp import Connection, Reply, ReplyError
from redis_fleet.agent.secret import Secret
from tests.lives import mutants

_CHANGING = frozenset(
    {"REPLICAOF", "MULTI", "CONFIG SET", "CONFIG REWRITE", "SENTINEL SET", "SENTINEL RESET", "SENTINEL FAILOVER",
     "SENTINEL IS-MASTER-DOWN-BY-ADDR", "PUBLISH __sentinel__:hello", "SENTINEL FLUSHCONFIG"}
)  # fmt: skip


@dataclass(frozen=True)
class Fate:
    """What happens just before the command ``at`` (from 0) that changes something.

    ``dies``: the process itself is killed. Else ``signals`` go to pids, then ``starts`` are run, a ``command`` is sent,
    and the ports ``cut`` can be reached no more.
    """

    at: int
    dies: bool = False
    signals: tuple[tuple[int, int], ...] = ()
    starts: tuple[tuple[str, ...], ...] = ()
    command: tuple[Access, tuple[object, ...]] | None = None
    cut: frozenset[int] = frozenset()


class Meddler:
    """Counts what is sent, and does what the fate says when it is time."""

    def __init__(
        self,
        fate: Fate | None,
        tell: Callable[[dict[str, Any]], None],
        password: Secret | None,
        others: Iterable[Endpoint] = (),
    ) -> None:
        """``others`` may take no writes when a server is promoted."""
        self._fate, self._tell, self._password, self._others = fate, tell, password, list(others)
        self._count = 0
        self._cut: frozenset[int] = frozenset()
        self._lock = threading.Lock()

    def install(self) -> None:
        call, pipeline, made = Connection.call, Connection.pipeline, Connection.__init__

        def counted_call(one: Connection, *words: object) -> Reply:
            self._meet([words], one)
            return call(one, *words)

        def counted_pipeline(one: Connection, commands: Iterable[tuple[object, ...]]) -> list[Reply]:
            given = list(commands)
            self._meet(given, one)
            return pipeline(one, given)

        def checked(one: Connection, address: str, port: int, *more: Any, **named: Any) -> None:
            if port in self._cut:
                raise ConnectionRefusedError("cut off")
            made(one, address, port, *more, **named)
            one.port = port  # type: ignore[attr-defined]

        Connection.call, Connection.pipeline = counted_call, counted_pipeline  # type: ignore[method-assign,assignment]
        Connection.__init__ = checked  # type: ignore[method-assign,assignment]

    def _meet(self, commands: list[tuple[object, ...]], one: Connection) -> None:
        if getattr(one, "port", 0) in self._cut:
            raise ConnectionResetError("cut off")
        if not any(_changes(words) for words in commands):
            return
        for words in commands:
            if words[0] == "PUBLISH":
                self._see_that_it_is_true(str(words[2]).split(","))
        if any(words[:3] == ("REPLICAOF", "NO", "ONE") for words in commands):
            self._see_that_there_is_none(getattr(one, "port", 0))
            self._tell({"promoting": True})
        with self._lock:
            number, self._count = self._count, self._count + 1
            if number == 0:
                self._tell({"began": time.time()})
            if self._fate and number == self._fate.at:
                self._tell({"struck": True})
                self._strike(self._fate)

    def _see_that_it_is_true(self, hello: list[str]) -> None:
        """Whoever is announced has to be a master by then; one that does not answer may have been."""
        try:
            with connect(Access(Endpoint(hello[5], int(hello[6])), self._password), 1.0) as connection:
                role = connection.call("ROLE")[0]
        except (OSError, ReplyError):
            return
        if role != "master":
            with self._lock:
                self._tell({"untrue": f"{hello[5]}:{hello[6]} was announced as the master and is a {role}"})

    def _see_that_there_is_none(self, port: int) -> None:
        """Nobody is promoted while another one takes writes."""
        for other in self._others:
            if other.port != port and self._asked(other, "SET", "life:meddler", "1") == "OK":
                with self._lock:
                    self._tell({"untrue": f"{port} is promoted and {other} takes writes"})

    def _asked(self, place: Endpoint, *words: object) -> Reply:
        """Send one command that is not counted; None where nobody answers, or not as is hoped for."""
        try:
            with connect(Access(place, self._password), 1.0) as connection:
                connection._socket.sendall(_encoded(words))
                return connection._read()
        except (OSError, ReplyError):
            return None

    def _strike(self, fate: Fate) -> None:
        if fate.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        for pid, number in fate.signals:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        for command in fate.starts:
            _started_when_free(command)
        if fate.command:
            access, words = fate.command
            try:
                with connect(access, 1.0) as connection:
                    # Not counted: it is somebody else's.
                    connection._socket.sendall(_encoded(words))
                    connection._read()
            except (OSError, ReplyError):
                pass
        self._cut = fate.cut


def _encoded(words: tuple[object, ...]) -> bytes:
    parts = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _started_when_free(command: tuple[str, ...]) -> None:
    """Start a server whose predecessor was killed a moment ago."""
    deadline = time.monotonic() + 5
    while subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        if time.monotonic() > deadline:
            return


def _changes(words: tuple[object, ...]) -> bool:
    first = " ".join(str(each).upper() if number == 0 else str(each) for number, each in enumerate(words[:2]))
    if words[0] == "SENTINEL" and words[1] == "IS-MASTER-DOWN-BY-ADDR":
        return bool(words[4])
    if words[0] == "PUBLISH":
        return bool(words[2])
    return str(words[0]) in _CHANGING or first in _CHANGING


def as_unit(code: str, mutant: str, fate: str, arguments: Sequence[str]) -> int:
    """Do what a unit's call does, broken or with a fate (a file, pickled); ``code`` is the file that a unit calls."""
    mutants.apply(mutant)
    if fate:
        # It is this test's own file.
        meant = pickle.loads(Path(fate).read_bytes())
        knows = UnitHandover.from_text(Path(code).with_name(KNOWLEDGE).read_text(encoding="utf-8"))
        others = [each.announced for each in knows.service.members]
        Meddler(meant, _said, knows.service.password, others).install()
    return unit_handover.main_beside(code, arguments)


def _said(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
