"""End every process of a sandbox, and only those: a sandbox's processes work inside its folder."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_PATIENCE = 5.0
_PAUSE = 0.02


def running(root: Path) -> Iterator[int]:
    """Yield the pids of the processes whose working folder is inside the sandbox."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _works_in(entry, root):
            yield int(entry.name)


def _works_in(process: Path, root: Path) -> bool:
    try:
        return (process / "cwd").readlink().is_relative_to(root)
    except OSError:
        return False


def remove(root: Path) -> int:
    """Stop what runs in a sandbox and remove its folder; returns how many processes were stopped.

    They are killed: what they would still save is removed with the folder.
    """
    stopped = set()
    deadline = time.monotonic() + _PATIENCE
    while pids := set(running(root)):
        for pid in pids:
            _kill(pid)
        stopped |= pids
        if time.monotonic() > deadline:
            break
        time.sleep(_PAUSE)
    shutil.rmtree(root, ignore_errors=True)
    # The folder above is shared by all sandboxes of this user; the last one takes it along.
    if root.parent.is_dir() and not any(root.parent.iterdir()):
        root.parent.rmdir()
    return len(stopped)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
