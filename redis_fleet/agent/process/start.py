"""Start processes and wait until they are ready."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..access import connect
from ..conf.edit import edit, follow, names_one
from ..conf.text import split
from ..errors import NotReadyError
from ..host.proc import running_pid
from ..host.put import put
from ..host.systemd import end_of, show, show_one, systemctl
from ..inspect.damage import says_damaged
from ..messages.process import ManagedProcess
from ..messages.running import Start, Started, Starting
from ..protocol.resp import ReplyError, info, pairs
from .first_sync import skip_sync_delay

_PAUSE = 0.05
_LOG_LINES = 5
_MASTER_SECONDS = 10.0
# A server whose file is bad is gone at once; systemd tries it again after RestartSec.
_GONE_FOR = 1.0


def start(request: Start, dry: bool = False) -> Started:
    """Put the files, start the processes, replicas last, and wait for each; raises NotReadyError, RuntimeError."""
    written = put(request.files, dry).changed
    if not dry:
        _start(request)
    return Started(written, tuple(each.process.name for each in request.processes))


def _start(request: Start) -> None:
    for each in request.processes:
        file = Path(each.process.configuration)
        if each.edit:
            edit(file, each.edit)
        if each.follow:
            follow(file, each.follow)
    deadline = time.monotonic() + request.timeout
    replicas = [each for each in request.processes if each.expect == "replica"]
    others = [each for each in request.processes if each.expect != "replica"]
    launch([each.process for each in others], request.server)
    for each in others:
        _wait(each, deadline)
        if each.fresh:
            _after_first_start(each)
    for each in replicas:
        _await_master(each.process, deadline)
    launch([each.process for each in replicas], request.server)
    for each in replicas:
        _wait(each, deadline)


def _after_first_start(started: Starting) -> None:
    """Let a new master synchronise at once; let a Sentinel write down that it has run: from now on it has a vote."""
    with connect(started.process.access) as connection:
        if started.process.kind.monitors:
            connection.call("SENTINEL", "FLUSHCONFIG")
        elif started.expect == "master":
            skip_sync_delay(connection)


def launch(processes: Sequence[ManagedProcess], server: str) -> None:
    """Start processes, as units or as daemons of their own, and wait for none; raises NotReadyError, RuntimeError."""
    units = [each.unit for each in processes if each.unit]
    if units:
        found = show(units)
        disabled = [unit for unit in units if found[unit].get("UnitFileState") != "enabled"]
        if disabled:
            systemctl("enable", "--quiet", *disabled)
        systemctl("reset-failed", *units)
        # Redis 6 tells systemd that it is ready only when it has its master's data: wait for it here, with a bound.
        systemctl("start", "--no-block", *units)
    for each in processes:
        if not each.unit:
            spawn(server, each)


def _await_master(process: ManagedProcess, deadline: float) -> None:
    """Wait until the master that a replica's file names can be reached; one that comes later is tried again by Redis.

    Masters and replicas of different machines start at the same time, and a replica that meets a closed port tries
    again only a second later.
    """
    named = _master_in(Path(process.configuration))
    patience = min(deadline, time.monotonic() + _MASTER_SECONDS)
    while named and time.monotonic() < patience:
        try:
            socket.create_connection(named, timeout=_PAUSE * 4).close()
            return
        except OSError:
            time.sleep(_PAUSE)


def _master_in(path: Path) -> tuple[str, int] | None:
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        if names_one(line, ("replicaof", "slaveof")):
            words = split(line.strip())
            return (words[1], int(words[2])) if len(words) == 3 and words[2].isdecimal() else None
    return None


def spawn(server: str, process: ManagedProcess) -> None:
    """Start a process that nothing supervises; it makes itself a daemon. Raises NotReadyError."""
    command = [server, process.configuration, *process.kind.arguments]
    done = _run(command)
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip()[-500:]
        raise NotReadyError(f"{process.name} does not start: {said or tail(process.log)}")


def _run(command: list[str]) -> Any:
    old = os.umask(0o077)
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    finally:
        os.umask(old)


def _wait(started: Starting, deadline: float) -> None:
    process = started.process
    missing = "has not answered"
    life = Life(process)
    while time.monotonic() < deadline:
        missing = _missing(started) or ""
        if not missing:
            return
        if life.ended():
            missing = "ended right after its start"
            break
        time.sleep(_PAUSE)
    raise NotReadyError(f"{process.name} on {process.access.endpoint} {missing}; {_state(process)}{tail(process.log)}")


class Life:
    """Whether a process that was just started is there as one: nobody waits for an answer of one that has ended."""

    def __init__(self, process: ManagedProcess) -> None:
        self._process = process
        self._last_seen = time.monotonic()

    def ended(self) -> bool:
        """Say whether it has not been there for a while; a unit that systemd tries again has ended."""
        if self._exists():
            self._last_seen = time.monotonic()
        return time.monotonic() > self._last_seen + _GONE_FOR

    def _exists(self) -> bool:
        if not self._process.unit:
            return running_pid(self._process.pid, self._process.data) != 0
        unit = show_one(self._process.unit)
        tried_again = unit.get("SubState") == "auto-restart" or unit.get("NRestarts", "0") != "0"
        return unit.get("ActiveState") in ("activating", "active") and not tried_again


def _missing(started: Starting) -> str | None:
    """Say what a process still lacks to be what it was started for; None when it is ready."""
    try:
        with connect(started.process.access) as connection:
            if started.process.kind.monitors:
                masters = [pairs(each)["name"] for each in connection.call("SENTINEL", "MASTERS")]
                return None if masters else "watches no master"
            facts = info(connection.call("INFO"))
            if facts.get("loading") == "1":
                return "is still loading its data"
            role = connection.call("ROLE")
    except (OSError, ReplyError) as error:
        return f"does not answer ({getattr(error, 'strerror', None) or error})"
    if started.expect == "master":
        return None if role[0] == "master" else f"is a {role[0]}, not a master"
    if role[0] == "master":
        return "is a master, not a replica"
    # Attached is enough here: the synchronisation goes on while the Sentinels start, and is waited for at the end.
    return (
        None
        if role[3] in ("handshake", "sync", "connected")
        else f"does not reach its master {role[1]}:{role[2]} ({role[3]})"
    )


def _state(process: ManagedProcess) -> str:
    if not process.unit:
        return ""
    return f"its unit is {end_of(process.unit)}; "


def tail(log: str) -> str:
    """Return the last lines of a log as one text; Redis never logs a password."""
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines() if log else []
    except OSError:
        lines = []
    hint = "; 'redis-fleet repair' cuts the damage off" if says_damaged(lines) else ""
    return "its log ends: " + " | ".join(lines[-_LOG_LINES:]) + hint if lines else "it has no log"
