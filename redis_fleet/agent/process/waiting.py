"""Whoever waits for the end of a server with everything imported: to start a Python takes longer than an election.

It is never needed: a unit calls for ``END`` in any case, as soon as nobody waits any more, and finds that all is done.
It does not outlive the server, its code, or a stop on purpose.
"""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
from collections.abc import Callable

from ..host.systemd import show_one
from ..messages.unit_handover import PYTHON, WAIT, lock_of, stopping_of, waiting_command

_LOOKS = 5.0
"""Seconds between two looks at whether the code is still the same."""


def begin(unit: str, code: str) -> None:
    """Let somebody wait for the end of a unit's server, if it runs."""
    pid = show_one(unit).get("MainPID", "0")
    if pid != "0":
        command = waiting_command(unit, code, pid)
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=20)


def wait(unit: str, code: str, pid: int, replace: Callable[[], None]) -> None:
    """Call ``replace`` when a process ends that nobody stops on purpose; returns at once where somebody waits already.

    Code that has changed is run anew. Raises OSError, also where the kernel has no pidfd_open (before 5.3).
    """
    lock = os.open(lock_of(unit), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    process, made_of = os.pidfd_open(pid), _state(code)  # type: ignore[attr-defined,unused-ignore]
    while not select.select([process], [], [], _LOOKS)[0]:
        now = _state(code)
        if now is None:
            return
        if now != made_of:
            os.execv(PYTHON[0], [*PYTHON, code, WAIT, str(pid)])  # noqa: S606
    if not stopped_on_purpose(unit):
        replace()


def stopped_on_purpose(unit: str) -> bool:
    """Whether a unit's server was stopped by systemctl, or by whoever calls it."""
    return os.path.exists(stopping_of(unit))  # noqa: PTH110 (to import pathlib takes a tenth of the whole start)


def _state(code: str) -> tuple[int, int] | None:
    try:
        found = os.stat(code)  # noqa: PTH116
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
