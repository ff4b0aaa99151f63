"""Take processes that are no longer part of the deployment off this machine; their data stays unless told otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..host.proc import running_pid
from ..host.systemd import UNITS, show_one, systemctl
from ..messages.process import ManagedProcess
from ..messages.running import Decommission, Decommissioned, Leaving
from ..messages.unit_handover import folder_of
from .stop import stop


def decommission(request: Decommission, dry: bool = False) -> Decommissioned:
    """Stop each of the processes cleanly and keep it from coming back.

    Raises NotReadyError when one does not stop, ValueError for a folder that is not the process's own.
    """
    for each in request.processes:
        if each.purge:
            _folders(each.process)
    done = []
    for each in request.processes:
        what = _decommission(each, request.timeout, dry)
        done += [f"{each.process.name}: {', '.join(what)}"] if what else []
    return Decommissioned(tuple(done))


def _decommission(leaving: Leaving, timeout: float, dry: bool) -> list[str]:
    process = leaving.process
    what = []
    unit = show_one(process.unit) if process.unit else {}
    if _runs(process, unit):
        what.append("stopped")
    if unit.get("UnitFileState") == "enabled":
        what.append("disabled")
    purged = _purged(process) if leaving.purge else []
    what += [f"removed {path}" for path in purged]
    if dry or not what:
        return what
    if "disabled" in what:
        # Before the stop: a reboot in between must not bring it back.
        systemctl("disable", "--quiet", process.unit)
    stop(process, timeout)
    for path in purged:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if process.unit and any(str(path).startswith(UNITS) for path in purged):
        systemctl("daemon-reload")
    return what


def _runs(process: ManagedProcess, unit: dict[str, str]) -> bool:
    if process.unit:
        return unit.get("ActiveState", "inactive") not in ("inactive", "failed")
    return running_pid(process.pid, process.data) != 0


def _purged(process: ManagedProcess) -> list[Path]:
    """Return what a purge removes and is still there."""
    paths = [Path(UNITS + process.unit), Path(folder_of(process.unit))] if process.unit else []
    folders = _folders(process)
    logs = [path for path in _logs(process.log) if not any(folder in path.parents for folder in folders)]
    return [path for path in [*paths, *folders, *logs] if path.exists() or path.is_symlink()]


def _logs(log: str) -> list[Path]:
    """Return a log and its rotated ones."""
    path = Path(log)
    if not log or not path.parent.is_dir():
        return []
    return sorted(each for each in path.parent.iterdir() if (each.name + ".").startswith(path.name + "."))


def _folders(process: ManagedProcess) -> list[Path]:
    """Return the folders of a process alone; both, or what contains them, bear its name. Raises ValueError."""
    home, data = Path(process.configuration).parent, Path(process.data or "/")
    found = [home]
    if home not in data.parents and process.data:
        found.append(data)
    for folder in found:
        if not folder.is_absolute() or folder.name != process.name or len(folder.parts) < 3:
            raise ValueError(f"{folder} is not the folder of {process.name} alone, it is not removed")
    return found
