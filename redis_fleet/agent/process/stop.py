"""Stop a process cleanly, so that it saves what it is to save.

A server that writes its first append-only file, as after each synchronisation, drops a SIGTERM and goes on as if there
had been none (measured: Redis 6.0 to 8.0, Valkey 8.1): it is told again and again.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import NotReadyError
from ..host.proc import running_pid
from ..host.systemd import show_one, systemctl
from ..messages.process import ManagedProcess
from .start import tail

_PAUSE = 0.05
_AGAIN = 1.0


def stop(process: ManagedProcess, timeout: float) -> bool:
    """Stop a process cleanly; says whether it ran.

    Raises NotReadyError when it is still there after ``timeout`` seconds; it is never killed.
    """
    deadline = time.monotonic() + timeout
    told = _tell_unit(process.unit) if process.unit else _tell(process)
    if not told:
        return False
    gone, again = told
    next_ = time.monotonic() + _AGAIN
    while not gone():
        now = time.monotonic()
        if now > deadline:
            raise NotReadyError(
                f"{process.name} was told to stop and is still there after {timeout:g} s; {tail(process.log)}"
            )
        if now > next_:
            again()
            next_ = now + _AGAIN
        time.sleep(_PAUSE)
    return True


Told = tuple[Callable[[], bool], Callable[[], None]]
"""Whether a process is gone, and what tells it once more."""


def _tell_unit(unit: str) -> Told | None:
    if _is_down(unit):
        return None
    # Not waited for by systemctl: it has no bound of its own.
    systemctl("stop", "--no-block", unit)

    def again() -> None:
        # Before that it may still hand over.
        if show_one(unit).get("SubState") == "stop-sigterm":
            systemctl("kill", "--kill-who=main", "--signal=TERM", unit)

    return lambda: _is_down(unit), again


def _is_down(unit: str) -> bool:
    """An unknown unit is inactive too."""
    return show_one(unit).get("ActiveState") in ("inactive", "failed")


def _tell(process: ManagedProcess) -> Told | None:
    pid = running_pid(process.pid, process.data)
    if not pid:
        return None

    def again() -> None:
        if _works_in(pid, process.data):
            os.kill(pid, signal.SIGTERM)

    again()
    return lambda: not _works_in(pid, process.data), again


def _works_in(pid: int, data: str) -> bool:
    """Say whether a process is still there; it takes its pid file away before it ends."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == Path(data).resolve()
    except OSError:
        return False
