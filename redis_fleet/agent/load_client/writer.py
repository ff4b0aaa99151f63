"""The client of a drill: writes all the time through the Sentinels and knows afterwards what was lost.

Each write sets one bit, the number of the write, in one key; each acknowledged one also sets it in a copy kept here. So
one read at the end tells what of the acknowledged is missing. The key carries a time to live: a writer that dies leaves
nothing behind.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import NoReturn

from .. import engine_words
from ..endpoint import Endpoint
from ..messages.client import Look, Tally, Writing
from ..messages.service import Instance, ServiceAccess
from ..protocol.resp import Connection
from ..replication.agreement import name_of
from ..replication.view import CONNECTION_ERRORS, connect, describe_error, view
from .events import Journal, read_events

EVENTS, STOP = "events", "stop"
WRITE_PAUSE, REFUSED_PAUSE, TICK = 0.001, 0.05, 0.5
WRITE_TIMEOUT, ASK_TIMEOUT = 0.5, 0.3
READ_BACK = 10.0
TIME_TO_LIVE = 120


class NoMasterError(OSError):
    """No Sentinel, or no member, led to a process that says it is the master."""


class Bits:
    """The acknowledged numbers, laid out as Redis lays out a string under SETBIT (bit 0 is the highest of byte 0)."""

    def __init__(self) -> None:
        """Begin with none."""
        self._bytes = bytearray()

    def add(self, number: int) -> None:
        """Set one bit."""
        missing = number // 8 + 1 - len(self._bytes)
        self._bytes.extend(bytes(max(0, missing)))
        self._bytes[number // 8] |= 0x80 >> number % 8

    def not_in(self, stored: bytes) -> int:
        """Return how many bits set here are not set there."""
        theirs = stored[: len(self._bytes)].ljust(len(self._bytes), b"\0")
        missing = int.from_bytes(self._bytes, "big") & ~int.from_bytes(theirs, "big")
        return bin(missing).count("1")


class Writer:
    """One client that writes number after number and follows the master."""

    def __init__(self, target: ServiceAccess, journal: Journal, seconds: float, patience: float = 0.0) -> None:
        """Prepare; connects at the first step. ``patience`` as in ``Writing``."""
        self._patience = patience or WRITE_TIMEOUT
        self._target = target
        self._journal = journal
        self._key = f"redis-fleet:drill:{secrets.token_hex(8)}"
        self._time_to_live = int(seconds) + TIME_TO_LIVE
        self._connection: Connection | None = None
        self._sentinels = list(target.sentinels) if target.monitor else []
        self._master = ""
        self._bits = Bits()
        self._number = self._acknowledged = self._refused = 0
        self._refusing = False
        self._last: float | None = None
        self._gap = 0.0
        self._ticked = time.monotonic()

    def step(self) -> None:
        """Try one write and pause until the next is due."""
        try:
            if self._connection is None:
                self._connection = self._find_master()
            self._connection.call("SETBIT", self._key, self._number, 1)
        except CONNECTION_ERRORS as error:
            self._refuse(describe_error(error))
        else:
            self._acknowledge()
        self._number += 1
        if time.monotonic() - self._ticked >= TICK:
            self._ticked = time.monotonic()
            self._journal.note("tick", acknowledged=self._acknowledged, refused=self._refused)
        time.sleep(REFUSED_PAUSE if self._refusing else WRITE_PAUSE)

    def _acknowledge(self) -> None:
        now = time.monotonic()
        gap = 0.0 if self._last is None else now - self._last
        self._last, self._gap = now, max(self._gap, gap)
        self._bits.add(self._number)
        self._acknowledged += 1
        if self._refusing:
            self._refusing = False
            self._journal.note("accepted", gap_ms=round(gap * 1000))

    def _refuse(self, reason: str) -> None:
        # After an error the connection may hold a late reply to this write: never go on with it.
        self._drop()
        self._refused += 1
        if not self._refusing:
            self._refusing = True
            self._journal.note("refused", reason=reason)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _find_master(self) -> Connection:
        """Return a connection to the master, its key in place; raises NoMasterError, OSError or ReplyError."""
        for sentinel in list(self._sentinels):
            try:
                master = self._ask(sentinel)
                connection = self._open(master, sentinel.id) if master else None
            except CONNECTION_ERRORS:
                connection = None
            if connection:
                return connection
            # Begin with another one next time: a Sentinel on a dead machine costs the whole timeout.
            self._sentinels.append(self._sentinels.pop(self._sentinels.index(sentinel)))
        if not self._sentinels:
            for member in self._target.members:
                connection = self._open(member, "itself")
                if connection:
                    return connection
        raise NoMasterError("no master was found")

    def _ask(self, sentinel: Instance) -> Instance | None:
        with connect(self._target, sentinel, ASK_TIMEOUT) as connection:
            reply = connection.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._target.monitor)
        return self._named(Endpoint(reply[0], int(reply[1]))) if reply else None

    def _named(self, place: Endpoint) -> Instance:
        """Return the member that Sentinel names: what it announces may not be reached from here."""
        known = (each for each in self._target.members if each.announced == place)
        return next(known, Instance("", "", place))

    def _open(self, node: Instance, named_by: str) -> Connection | None:
        """Connect to a process if it says itself that it is the master, None if it is not or cannot be reached."""
        try:
            connection = connect(self._target, node, self._patience)
        except CONNECTION_ERRORS:
            return None
        try:
            if engine_words.role(connection.call("ROLE")[0]) == engine_words.MASTER:
                connection.call("SET", self._key, "", "EX", self._time_to_live, "NX")
                self._met(name_of(self._target, str(node.announced)), named_by)
                return connection
        except CONNECTION_ERRORS:
            connection.close()
            raise
        connection.close()
        return None

    def _met(self, master: str, named_by: str) -> None:
        if master != self._master:
            self._master = master
            self._journal.note("master", master=master, named_by=named_by)

    def finish(self) -> Tally:
        """Read the key back from the master of now, delete it, and return the tally."""
        self._drop()
        problem, lost = "", None
        deadline = time.monotonic() + READ_BACK
        while lost is None:
            try:
                lost, problem = self._read_back()
            except CONNECTION_ERRORS as error:
                problem = f"the written key could not be read back: {describe_error(error)}"
                if time.monotonic() > deadline:
                    break
                time.sleep(REFUSED_PAUSE)
        return Tally(self._acknowledged, lost, self._refused, round(self._gap * 1000), problem)

    def _read_back(self) -> tuple[int, str]:
        connection = self._find_master()
        with connection:
            stored = str(connection.call("GET", self._key) or "").encode("utf-8", "surrogateescape")
            connection.call("DEL", self._key)
        gone = self._acknowledged > 0 and not stored
        return self._bits.not_in(stored), "the whole key is gone: evicted, or the data is gone" if gone else ""


def run(target: ServiceAccess, events_path: str, stop_path: str, seconds: float, patience: float = 0.0) -> Tally:
    """Write until ``stop_path`` exists, at most ``seconds``; events go to ``events_path`` (mode 0600)."""
    journal = Journal(events_path)
    try:
        journal.note("started")
        writer = Writer(target, journal, seconds, patience)
        stop_file, deadline = Path(stop_path), time.monotonic() + seconds
        while time.monotonic() < deadline and not stop_file.exists():
            writer.step()
        tally = writer.finish()
        journal.note("tally", tally=tally)
        return tally
    except BaseException as error:
        journal.note("failed", reason=f"{type(error).__name__}: {error}")
        raise
    finally:
        journal.close()


def start_detached(target: ServiceAccess, folder: str, seconds: float, patience: float = 0.0) -> int:
    """Start ``run`` in a process of its own that outlives this one, and return its pid (for an Ansible module).

    ``folder`` must exist, absolute, closed to others; the files in it are ``events`` and ``stop``. Ansible removes a
    module's code when the module ends, so the new process must not import anything of it later: all imports are above.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _become_detached(Writing(target, folder, seconds, patience), writer)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        return int(pipe.read())


def _become_detached(task: Writing, report: int) -> NoReturn:
    """Never returns: the first child leaves at once, the second is the writer, adopted by init."""
    status = 1
    try:
        os.setsid()
        if os.fork() == 0:
            os.write(report, str(os.getpid()).encode())
            null = os.open(os.devnull, os.O_RDWR)
            for inherited in (0, 1, 2):
                os.dup2(null, inherited)
            os.closerange(3, 4096)
            os.chdir("/")
            _serve(task)
        status = 0
    finally:
        os._exit(status)


def _serve(task: Writing) -> None:
    folder = Path(task.folder)
    run(task.service, str(folder / EVENTS), str(folder / STOP), task.seconds, task.patience)


def main() -> None:
    """Run the task on standard input, JSON with a ``task`` and its ``secrets``: a password is never in argv."""
    given = json.load(sys.stdin)
    _serve(Writing.from_json(given["task"], given["secrets"]))


def look(target: ServiceAccess, folder: str | None, offset: int) -> Look:
    """Return the events behind ``offset`` (0 at first, then what the last look returned) and the view of all.

    ``folder`` None: there is no writer.
    """
    seen = view(target)
    events, offset = read_events(Path(folder) / EVENTS, offset) if folder else ([], offset)
    return Look(tuple(events), offset, seen)


def stop(folder: str, wait: float = READ_BACK + 5) -> Tally | None:
    """Tell the writer to end, wait (seconds) for its tally and return it; None if none came. The folder stays."""
    (Path(folder) / STOP).touch()
    deadline = time.monotonic() + wait
    while True:
        for event in read_events(Path(folder) / EVENTS)[0]:
            if event.event == "tally":
                return event.tally
            if event.event == "failed":
                return None
        if time.monotonic() > deadline:
            return None
        time.sleep(REFUSED_PAUSE)


if __name__ == "__main__":
    main()
