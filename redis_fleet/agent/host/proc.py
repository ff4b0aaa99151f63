"""Programs that are run for their answer, and processes by their pid files."""

from __future__ import annotations

import subprocess
from pathlib import Path


def output_of(command: list[str]) -> str:
    """Return what a program prints; nothing when it cannot be run or takes more than 20 s."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def running_pid(path: str, data: str) -> int:
    """Return the process that a pid file names, 0 when it does not run.

    A crash leaves the file behind, and its number may by now be another process's or a zombie's: only one that works
    in the data folder, as a server and a Sentinel do, is meant.
    """
    try:
        pid = int(Path(path).read_text(encoding="ascii"))
        return pid if Path(f"/proc/{pid}/cwd").readlink() == Path(data).resolve() else 0
    except (OSError, ValueError):
        return 0
