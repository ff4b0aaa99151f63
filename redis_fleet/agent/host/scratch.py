"""Folders and processes that are there for a moment only, and never outlive whoever made them."""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_NAME = "redis-fleet-trial-"
_ENDS_WITHIN = 2.0
_PAUSE = 0.002
_ENDS_WITH_PARENT = 1  # prctl(2), PR_SET_PDEATHSIG


def made(user: str) -> Path:
    """Make a folder for this process's use and that user's (where this is root); raises KeyError for an unknown one."""
    owner = pwd.getpwnam(user) if user and os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-"))
    if owner:
        os.chown(str(folder), owner.pw_uid, owner.pw_gid)
    return folder


def sweep() -> None:
    """Remove what processes left that were killed outright."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_NAME}*"):
        maker = re.match(r"(\d+)-", folder.name[len(_NAME) :])
        if maker and not Path(f"/proc/{maker[1]}").exists() and Path("/proc/self").exists():
            shutil.rmtree(str(folder), ignore_errors=True)


@contextmanager
def launch(command: list[str], folder: Path, user: str) -> Iterator[Any]:
    """Run a command in a folder, what it prints in the file ``log`` there; at the end it is killed with its children.

    As that user where this is root, in a session of its own, with an empty environment: what is secret in this one is
    none of its business.
    """
    options: dict[str, Any] = {}
    if user and os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        groups = os.getgrouplist(user, entry.pw_gid)
        options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=str(folder),
            env={"PATH": os.environ.get("PATH", os.defpath)},
            start_new_session=True,
            umask=0o077,
            # It makes one system call and takes no lock, so that it does no harm beside threads.
            preexec_fn=_bound_to_parent(),  # noqa: PLW1509
            **options,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            end_all(process)


def end_all(process: Any) -> None:
    """Kill a process with everything of its group, and wait until all of it is gone.

    What still lives may write into a folder that is about to be removed. The bound is for those that ended and that
    nobody collects, where no init runs.
    """
    ends = time.monotonic() + _ENDS_WITHIN
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while time.monotonic() < ends:
            os.killpg(process.pid, 0)
            time.sleep(_PAUSE)
    process.wait()


def _bound_to_parent() -> Callable[[], None] | None:
    """Return what makes a child end with its parent, even with one that is killed outright; None where that is unknown.

    It is called in the child after it has changed its user, which would undo it.
    """
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    return lambda: prctl(_ENDS_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
