"""A server that does not start because of the end of its append-only file: cut what is damaged, and start it.

After a power cut the file may end in zeros, or in half a command; the server's log then advises to make a backup and to
use redis-check-aof --fix. What that tool cuts off is everything behind the first damage, however much that is; so here
it is only let do so where nothing readable follows, unless that was asked for.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

from ..conf import aof
from ..conf.aof_check import Damage, checker, cut, examine, to_disk
from ..conf.edit import edit, following
from ..errors import NotReadyError, RefusedError
from ..host.proc import running_pid
from ..host.systemd import show_one
from ..login import connect, directives
from ..messages.process import ManagedProcess
from ..messages.running import Repair, Repaired
from ..protocol.resp import ReplyError, info
from .restart import come_up, last_words
from .stop import stop

_PAUSE = 0.05
# A unit may just be being started for the first time.
_DEFINITE = 10.0


def repair(request: Repair, dry: bool = False) -> Repaired:
    """Repair the file of a process that is down, and start it; with ``dry`` only say what would be cut.

    Raises RefusedError before anything is touched, NotReadyError when it does not start even so.
    """
    process = request.process
    _refuse_running(process)
    found = _layout(process)
    with checker(request.server) as tool:
        damage = examine(tool, found)
        _refuse_loss(damage, request.discard)
        backup = _backup_of(found)
        told = Repaired(str(damage.file), damage.size, damage.cut, damage.commands, str(backup))
        if dry:
            return told
        if stop(process, request.timeout) and not _still(tool, found, damage):
            raise RuntimeError(f"{found.last} has changed meanwhile; {process.name} is stopped now, start it again")
        copy(found.whole, backup)
        cut(tool, found)
    return replace(told, keys=_start(request, backup))


def _refuse_running(process: ManagedProcess) -> None:
    """Raise RefusedError when a process is there: its file is in use, and what it does with it is its own affair."""
    deadline = time.monotonic() + _DEFINITE
    while _state(process) == "starting" and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    if _state(process) != "down":
        raise RefusedError(f"{process.name} runs; only the file of a process that is down can be repaired")


def _state(process: ManagedProcess) -> str:
    if not process.unit:
        return "up" if running_pid(process.pid, process.data) else "down"
    unit = show_one(process.unit)
    if unit.get("ActiveState") in ("inactive", "failed") or unit.get("SubState") == "auto-restart":
        return "down"
    if unit.get("ActiveState") == "activating" and unit.get("NRestarts", "0") != "0":
        return "down"  # it ends again and again; on a slow machine it is hardly ever seen in between
    return "starting" if unit.get("ActiveState") in ("activating", "deactivating") else "up"


def _layout(process: ManagedProcess) -> aof.Layout:
    """Return the files of a process, as its own configuration names them."""
    lines = {line.name: line.words for line in directives(process.configuration)}
    if lines.get("appendonly", ("no",))[0].lower() != "yes":
        raise RefusedError(f"{process.configuration} does not say 'appendonly yes', so no such file is read")
    data = Path(lines.get("dir", (process.data,))[0])
    name = lines.get("appendfilename", ("appendonly.aof",))[0]
    try:
        found = aof.layout(data, name, lines.get("appenddirname", ("appendonlydir",))[0])
    except ValueError as error:
        raise RefusedError(f"{error}; it takes a backup to put this right") from None
    if found is None:
        raise RefusedError(f"there is no append-only file in {data}, so none is damaged")
    return found


def _still(tool: str, found: aof.Layout, damage: Damage) -> bool:
    """Say whether the damage is as it was: a server that is tried again all the time cuts half a command off itself."""
    try:
        return examine(tool, found) == damage
    except RefusedError:
        return False


def _refuse_loss(damage: Damage, discard: bool) -> None:
    if damage.commands and not discard:
        raise RefusedError(
            f"behind the damage in {damage.file} there are {damage.commands} whole commands, in {damage.cut} bytes,"
            " which would be thrown away with it; if no backup is better, allow that (discard)"
        )


def _backup_of(found: aof.Layout) -> Path:
    """Return where the copy goes; raises RefusedError where there is no room for it."""
    backup = found.whole.with_name(f"{found.whole.name}.before-repair-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    free = shutil.disk_usage(str(backup.parent)).free
    if free < found.size * 1.1:
        raise RefusedError(f"a copy of {found.whole} needs {found.size} bytes, and {backup.parent} has {free} left")
    return backup


def copy(source: Path, target: Path) -> None:
    """Copy a file or a flat folder with owners and modes, and bring it to disk; raises OSError, also if it is there."""
    if source.is_dir():
        target.mkdir(mode=0o700)
        for each in source.iterdir():
            _copy_file(each, target / each.name)
        _like(source, target)
    else:
        _copy_file(source, target)
    for folder in {target, target.parent}:
        to_disk(folder)


def _copy_file(source: Path, target: Path) -> None:
    handle = os.open(str(target), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as new, source.open("rb") as old:
        shutil.copyfileobj(old, new, 1 << 20)
    _like(source, target)
    to_disk(target)


def _like(source: Path, target: Path) -> None:
    status = source.stat()
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(str(target), status.st_uid, status.st_gid)
    shutil.copystat(str(source), str(target))


def _start(request: Repair, backup: Path) -> int:
    """Start the process and return how many keys it has; raises NotReadyError."""
    process = request.process
    if request.follow:
        edit(Path(process.configuration), following(request.follow))
    since = time.time()
    try:
        come_up(process, request.server, request.timeout)
        connection, _ = connect(process)
        with connection:
            seen = info(connection.call("INFO"))
    except (NotReadyError, OSError, ReplyError) as error:
        said = f"{error}; {last_words(process, since)}"
        raise NotReadyError(f"{process.name} was repaired and does not start: {said}; a copy is {backup}") from None
    if seen.get("aof_enabled") != "1":
        raise NotReadyError(f"{process.name} runs, but without its append-only file; a copy is {backup}")
    spaces = [value for name, value in seen.items() if name.startswith("db") and "keys=" in value]
    return sum(int(value.split("keys=", 1)[1].split(",", 1)[0]) for value in spaces)
