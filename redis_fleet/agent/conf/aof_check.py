"""What redis-check-aof says of an append-only file, and what it cuts off its end.

It cuts off everything behind the first damage, however much that is; how much of it could still be read is found out
here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..errors import RefusedError
from ..host.interrupts import temporary_folder
from . import aof

# Up to 6.2 without a name: there is one file.
_ANALYZED = re.compile(r"AOF analyzed: (?:filename=(.*?), )?size=(\d+), ok_up_to=(\d+)")
_ELF = b"\x7fELF"
_VALKEY = b"VALKEY"
_CHECK_SECONDS = 3600
# Enough of what is cut off to tell whether there is anything in it.
_READ = 64 << 20


class Damage(NamedTuple):
    """What is wrong with the end of an append-only file.

    ``size`` are its bytes, ``cut`` those at its end that have to go, ``commands`` how many whole commands are in them.
    """

    file: Path
    size: int
    cut: int
    commands: int


@contextmanager
def checker(server: str) -> Iterator[str]:
    """Give the path of redis-check-aof that belongs to a server program.

    It is the server itself under another name. One of another version would take what it does not know for damage, and
    cut it off. Raises RefusedError where there is none.
    """
    program = Path(shutil.which(server) or server)
    names = ("valkey-check-aof", "redis-check-aof")
    beside = [program.with_name(name) for name in (names if "valkey" in program.name else names[::-1])]
    there = [str(each) for each in beside if os.access(str(each), os.X_OK)]
    if there:
        yield there[0]
        return
    if not _is_program(program):
        raise RefusedError(f"there is no {beside[0]}; install what it belongs to (redis-tools, valkey-tools)")
    with temporary_folder("redis-fleet-repair-") as folder:
        # Each engine looks for its own name in the one that it is called by.
        link = folder / "-".join(names)
        link.symlink_to(program.resolve())
        yield str(link)


def _is_program(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == _ELF
    except OSError:
        return False


def examine(tool: str, found: aof.Layout) -> Damage:
    """Return what is to be cut off, in the tool's and in our own reading; raises RefusedError where that is nothing.

    Also where it is no matter of the end of the last file.
    """
    code, said = _run(tool, str(_checked(found)))
    if code == 0:
        raise RefusedError(f"nothing is wrong with {_checked(found)}; its log says why the process does not start")
    size = found.last.stat().st_size
    good = _good(said, found.last, size)
    if good is None:
        last = said.strip().splitlines()[-1:] or ["no word"]
        raise RefusedError(f"it is not the end of {found.last} that is damaged ({last[0]}); it takes a backup")
    if good == 0 and aof.is_snapshot(found.last):
        raise RefusedError(f"the snapshot at the beginning of {found.last} is damaged; it takes a backup")
    with found.last.open("rb") as file:
        file.seek(good)
        return Damage(found.last, size, size - good, _whole(file.read(_READ)))


def _checked(found: aof.Layout) -> Path:
    """Return what the tool is given: everything, where it can read everything.

    The one of Valkey 9 does not know the beginning of its own snapshots (https://github.com/valkey-io/valkey/pull/4739,
    seen with 9.1.2) and takes a sound base for damaged; there it is given the last file alone.
    """
    first = found.files[0]
    with first.open("rb") as file:
        return found.last if first != found.last and file.read(len(_VALKEY)) == _VALKEY else found.check


def _good(said: str, last: Path, size: int) -> int | None:
    """Return up to which byte the tool finds the last file in order; None when it stopped at something else."""
    analyzed = _ANALYZED.findall(said)
    if not analyzed:
        return None
    name, found, good = analyzed[-1]
    same = Path(name or last).name == last.name and int(found) == size
    return int(good) if same and int(good) < size else None


def _whole(rest: bytes) -> int:
    """Return how many whole commands are cut off, beside those of a transaction that was never ended."""
    begun = aof.read(rest)
    inside = bool(begun.commands) and begun.commands[0][0].upper() == b"MULTI"
    return aof.behind(rest[begun.good :] if inside else rest)


def cut(tool: str, found: aof.Layout) -> None:
    """Have the tool cut the damaged end off, and see that it is right then; raises RuntimeError."""
    checked = _checked(found)
    code, said = _run(tool, "--fix", str(checked), answer=b"y\n")
    if code == 0:
        code, said = _run(tool, str(checked))
    if code:
        raise RuntimeError(f"redis-check-aof --fix {checked}: {' / '.join(said.strip().splitlines()[-3:])}")
    to_disk(found.last)


def _run(*command: str, answer: bytes = b"") -> tuple[int, str]:
    done = subprocess.run(
        list(command),
        input=answer,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_CHECK_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def to_disk(path: Path) -> None:
    """Bring a file or folder to disk."""
    handle = os.open(str(path), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
