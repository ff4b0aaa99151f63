"""Restart one process with another file or unit: checked on the spot before, in step afterwards, or as it was.

What was planned from a look of some seconds ago is checked again here: is the process still what it was, and are
enough others there while it is down. A file that the server does not start with is taken back.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from .. import engine_words
from ..conf.edit import edit, following
from ..endpoint import Endpoint
from ..errors import NotReadyError
from ..host.files import replace
from ..host.put import put
from ..host.systemd import systemctl
from ..inspect.observe import observe_processes
from ..login import accepts_unauthenticated, at, connect, directives, is_secret, masked, secret_words, secrets_of
from ..messages.files import File
from ..messages.process import ManagedProcess
from ..messages.running import Restart, Restarted
from ..protocol.resp import ReplyError, info
from ..replication.findings import Code, Finding, fact
from ..replication.restart_fitness import attended, behind, replaceable, rewriting, standing, unled, unlinked
from .first_sync import without_sync_delay
from .start import Life, launch, tail
from .stop import stop
from .wait_in_sync import amiss

_PAUSE = 0.05
_JOURNAL_LINES = 8


def restart(request: Restart, dry: bool = False) -> Restarted:
    """Stop a process, apply what is new, start it again, and wait until it is in step.

    Raises NotReadyError: before the stop nothing is touched; a process that did not start with what is new runs again
    with what it had.
    """
    process = request.process
    name = process.name
    if dry:
        return Restarted((f"{name}: restarted",))
    lacking = _await_fitness(request)
    if lacking:
        raise NotReadyError(f"{name} is not restarted: {lacking}; run again")
    master = _master_of(request)
    with without_sync_delay(master) if master else nullcontext():
        return _restart(request)


def _master_of(request: Restart) -> ManagedProcess | None:
    """Return the master that will send a restarted replica its data; None: it will be no replica, or nobody knows."""
    words = request.follow.split()
    try:
        if not words and request.expect == engine_words.REPLICA:
            connection, _ = connect(request.process)
            with connection:
                words = connection.call("ROLE")[1:3]
    except (OSError, ReplyError):
        return None
    return at(request.process, Endpoint(words[0], int(words[1]))) if len(words) == 2 else None


def _restart(request: Restart) -> Restarted:
    process, name = request.process, request.process.name
    secrets = _secrets(request)
    began = time.monotonic()
    stop(process, request.timeout)
    kept = _Kept(process, request.parts.files)
    since = time.time()
    try:
        changed = _renew(request)
        come_up(process, request.server, request.timeout)
    except (NotReadyError, RuntimeError, OSError, ValueError, LookupError) as error:
        said = masked(f"{error}; {last_words(process, since)}", secrets)
        raise NotReadyError(f"{name} does not start with what is new: {said}; {_take_back(request, kept)}") from None
    seconds = round(time.monotonic() - began, 3)
    _await_step(request, process)
    return Restarted((f"{name}: restarted", *changed), seconds)


def _await_fitness(request: Restart) -> str:
    """Return why the process may not go down, if that does not change within ``patience`` seconds.

    The step before may have left something in the middle of a synchronisation.
    """
    deadline = time.monotonic() + request.patience
    while True:
        lacking = _lacking(request, request.process, request.expect)
        if not lacking or time.monotonic() > deadline:
            return lacking
        time.sleep(_PAUSE)


class _Kept:
    """The contents of the files that are about to change."""

    def __init__(self, process: ManagedProcess, files: Iterable[File]) -> None:
        paths = [Path(process.configuration), *(Path(each.path) for each in files)]
        self._contents = {path: (path.read_bytes(), path.stat()) for path in paths if path.is_file()}
        self._made = [path for path in paths if not path.is_file()]

    def put_back(self) -> None:
        for path, (content, status) in self._contents.items():
            if path.read_bytes() != content:
                replace(path, content, "", status.st_mode & 0o777, like=status)
        for path in self._made:
            path.unlink(missing_ok=True)


def _renew(request: Restart) -> list[str]:
    """Write what is new while the process is down; returns the files that are others now."""
    process = request.process
    path = Path(process.configuration)
    changes = [*request.edit, *(following(request.follow) if request.follow else [])]
    edited = [str(path)] if edit(path, changes) else []
    return edited + list(put(request.parts).changed)


def come_up(process: ManagedProcess, server: str, timeout: float) -> None:
    """Start the process and wait until it answers and has its data; raises NotReadyError when it cannot start."""
    launch([process], server)
    deadline = time.monotonic() + timeout
    life = Life(process)
    while True:
        error = _silent(process)
        if not error:
            return
        if life.ended():
            raise NotReadyError("it ended right after its start")
        if time.monotonic() > deadline:
            raise NotReadyError(f"no answer after {timeout:g} s ({error})")
        time.sleep(_PAUSE)


def _silent(process: ManagedProcess) -> str:
    """Say why a process is of no use yet; empty when it answers and has loaded its data."""
    try:
        connection, _ = connect(process)
        with connection:
            return "loading" if info(connection.call("INFO")).get("loading") == "1" else ""
    except (OSError, ReplyError) as error:
        return getattr(error, "strerror", None) or str(error)


def last_words(process: ManagedProcess, since: float) -> str:
    """Return what a server that does not start said since (wall clock); systemd has what comes before its log opens."""
    log = Path(process.log) if process.log else None
    said = tail(process.log) if log and log.exists() and log.stat().st_mtime >= since else ""
    if not process.unit:
        return said
    command = ["journalctl", "--unit", process.unit, f"--since=@{int(since)}", "--output", "cat", "--no-pager"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return said
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    # Of systemd's own words only why it could not even run the program is news.
    own = [line for line in lines if process.unit not in line or "Failed at step" in line]
    return "; ".join(filter(None, ["it said: " + " | ".join(own[:_JOURNAL_LINES]) if own else "", said]))


def _secrets(request: Restart) -> set[str]:
    """Return what a server could repeat of its file: it shows the whole line that it does not understand."""
    words = {
        word for change in request.edit for line in change.lines if is_secret(change.names[0], line) for word in line
    }
    filed = [word for line in directives(request.process.configuration) for word in secret_words(line.words)]
    return secrets_of(request.process) | words | set(filed)


def _take_back(request: Restart, kept: _Kept) -> str:
    """Put the old files back and start again; returns how that went."""
    process = request.process
    try:
        stop(process, request.timeout)
        kept.put_back()
        if process.unit:
            systemctl("daemon-reload")
        come_up(process, request.server, request.timeout)
    except (NotReadyError, RuntimeError, OSError) as error:
        return f"it does not run again either: {error}"
    return "it runs again as before"


def _await_step(request: Restart, process: ManagedProcess) -> None:
    """Wait until a restarted process is in step with the others; raises NotReadyError when it is not in time."""
    deadline = time.monotonic() + request.timeout
    wanted = {"none": "master", "": request.expect}.get(request.follow, "replica")
    while True:
        lacking = _lacking(request, process, wanted, back=True)
        if not lacking:
            break
        if time.monotonic() > deadline:
            raise NotReadyError(f"{process.name} was restarted but {lacking} after {request.timeout:g} s")
        time.sleep(_PAUSE)
    if process.password and accepts_unauthenticated(process):
        raise NotReadyError(f"{process.name} was restarted and answers without a password")


def _lacking(request: Restart, process: ManagedProcess, expect: str, back: bool = False) -> str:
    """Say why a process may not go down, or is not back in step; empty when all is well."""
    if process.kind.monitors:
        return "; ".join(amiss([process], request.masters, observe_processes([process], supervised=False)))
    return "; ".join(map(fact, _found(request, process, expect, back)))


def _found(request: Restart, process: ManagedProcess, expect: str, back: bool) -> list[Finding]:
    try:
        connection, _ = connect(process)
        with connection:
            role = connection.call("ROLE")
            acts_as = engine_words.role(role[0], role[0])
            own = info(connection.call("INFO")) if acts_as == expect else {}
        found = standing(acts_as, expect, own) or ([] if back else rewriting(own))
        if found:
            return found
        if expect == engine_words.MASTER:
            return attended(own, request.others, request.needed)
        return _as_replica(request, process, Endpoint(role[1], int(role[2])), own, back)
    except (OSError, ReplyError) as error:
        return [Finding(Code.NO_ANSWER, "it", said=getattr(error, "strerror", None) or str(error))]


def _as_replica(
    request: Restart, process: ManagedProcess, place: Endpoint, own: dict[str, str], back: bool
) -> list[Finding]:
    if back and request.follow and request.follow != f"{place.address} {place.port}":
        return [Finding(Code.FOLLOWS, "it", said=_text(place))]
    found = unlinked(_text(place), own)
    if found:
        return found
    try:
        connection, _ = connect(at(process, place))
        with connection:
            master = info(connection.call("INFO", "replication"))
    except (OSError, ReplyError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return [Finding(Code.MASTER_OF_IT_SILENT, "it", _text(place), why)]
    if not back:
        return replaceable(_text(place), master, request.others, request.needed)
    found = unled(_text(place), master)
    return found or behind(_replication(process), master)


def _text(place: Endpoint) -> str:
    return f"{place.address}:{place.port}"


def _replication(process: ManagedProcess) -> dict[str, str]:
    connection, _ = connect(process)
    with connection:
        return info(connection.call("INFO", "replication"))
