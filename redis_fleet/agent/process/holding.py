"""Take a process away on purpose, as a crash, a stop or a frozen machine does, and let it come back.

What is killed or stopped stays down, what is frozen goes on by itself after a bounded time, even if nobody comes back.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from ..access import connect
from ..conf.edit import follow
from ..errors import NotReadyError
from ..host.proc import running_pid
from ..host.systemd import show, systemctl
from ..messages.holding import FREEZE, KILL, STOP, Hold, Release
from ..messages.process import ManagedProcess
from ..protocol.resp import ReplyError
from .start import spawn
from .stop import stop

_HOLD = "/run/systemd/system/{unit}.d/redis-fleet-hold.conf"
_STOPPING = 30.0


def hold(request: Hold) -> str:
    """Take a process away until ``release``; returns how, in words. Raises NotReadyError, RuntimeError."""
    process = request.process
    if not process.unit and not running_pid(process.pid, process.data):
        raise NotReadyError(f"{process.name} does not run")
    if request.how == KILL:
        return _kill(process)
    if request.how == STOP:
        stop(process, _STOPPING)
        return "systemctl stop" if process.unit else "SIGTERM; nothing supervises it"
    if request.how == FREEZE and request.seconds > 0:
        return _freeze(process, request.seconds)
    raise NotReadyError(f"'{request.how}' is no way to take a process away for {request.seconds} s")


def _kill(process: ManagedProcess) -> str:
    if not process.unit:
        pid = running_pid(process.pid, process.data)
        os.kill(pid, signal.SIGKILL)
        return f"SIGKILL to pid {pid}; nothing supervises it"
    held = Path(_HOLD.format(unit=process.unit))
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_text("[Service]\nRestart=no\n", encoding="ascii")
    systemctl("daemon-reload")
    systemctl("kill", "--signal=KILL", process.unit)
    return f"SIGKILL, and Restart=no in {held} (gone after a reboot)"


def _freeze(process: ManagedProcess, seconds: int) -> str:
    """SIGSTOP; what ends it is begun before, so that it ends whatever becomes of the rest."""
    if process.unit:
        command = ["systemd-run", "--quiet", f"--on-active={seconds}", f"--unit={_thawing(process)}"]
        subprocess.run([*command, "systemctl", "kill", "--signal=CONT", process.unit], check=True, timeout=20)
        systemctl("kill", "--signal=STOP", process.unit)
        return f"SIGSTOP, for {seconds} s at most"
    pid = running_pid(process.pid, process.data)
    thawing = subprocess.Popen(
        ["/bin/sh", "-c", f"sleep {seconds}; kill -CONT {pid}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, cwd="/",
    )  # fmt: skip
    _note(process).write_text(str(thawing.pid), encoding="ascii")
    os.kill(pid, signal.SIGSTOP)
    return f"SIGSTOP to pid {pid}, for {seconds} s at most"


def _thawing(process: ManagedProcess) -> str:
    return "redis-fleet-thaw-" + process.unit.partition(".")[0].replace("@", "-")


def _note(process: ManagedProcess) -> Path:
    return Path(process.pid + ".thaw")


def release(request: Release) -> None:
    """Let a process come back; safe for one that is not held or already runs.

    With a master to ``follow`` its file names that one from now on.
    """
    process = request.process
    if request.how == FREEZE:
        _thaw(process)
        return
    if request.follow:
        follow(Path(process.configuration), request.follow)
    if not process.unit:
        try:
            with connect(process.access):
                return
        except (OSError, ReplyError):
            spawn(request.server, process)
        return
    held = Path(_HOLD.format(unit=process.unit))
    if held.exists():
        held.unlink()
        held.parent.rmdir()
        systemctl("daemon-reload")
    systemctl("reset-failed", process.unit)
    systemctl("start", "--no-block", process.unit)


def _thaw(process: ManagedProcess) -> None:
    if process.unit:
        systemctl("kill", "--signal=CONT", process.unit)
        timer = _thawing(process) + ".timer"
        if show([timer], "LoadState")[timer].get("LoadState") != "not-found":
            systemctl("stop", timer)
        return
    note = _note(process)
    # It may have ended by itself.
    with suppress(OSError, ValueError):
        os.killpg(int(note.read_text(encoding="ascii")), signal.SIGKILL)
    note.unlink(missing_ok=True)
    if pid := running_pid(process.pid, process.data):
        os.kill(pid, signal.SIGCONT)
