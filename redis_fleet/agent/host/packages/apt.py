"""Packages of Debian and its derivatives.

With apt-get alone: Ansible's apt module needs python3-apt, which a machine with nothing but Python does not have.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Optional

from ..proc import output_of

_PATIENCE = 120.0
_PAUSE = 1.0
_ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C",
    # Whatever else an update would like to restart is for the administrator to decide.
    "NEEDRESTART_SUSPEND": "1",
}
_APT = ["apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={_PATIENCE:.0f}"]
# Translated descriptions are of no use here, and the ones that are there stay.
_UPDATE = [*_APT, "-o", "Acquire::Languages=none", "-o", "APT::Get::List-Cleanup=false", "update"]
_KEEP = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
_INSTALL = [*_APT, *_KEEP, "--no-install-recommends", "install"]


class Apt:
    """apt-get, apt-cache and dpkg-query."""

    name = "apt"
    title = "apt"
    refresh = "apt-get update"
    sources = "/etc/apt/sources.list and sources.list.d"
    sources_folder = "/etc/apt/sources.list.d"

    def is_here(self) -> bool:
        """Say whether this machine has it."""
        return shutil.which("apt-get") is not None

    def command(self, *names: str) -> str:
        """Return the command by which a person installs packages."""
        return f"apt-get install {' '.join(names)}"

    def install(self, names: list[str]) -> None:
        """Read the lists of packages and install some; raises RuntimeError with apt's words."""
        _run(_UPDATE)
        _run([*_INSTALL, *names])

    def installed(self, names: list[str]) -> dict[str, str]:
        """Return the installed versions; a package that is not installed is left out."""
        command = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n", *names]
        rows = [line.split() for line in output_of(command).splitlines()]
        return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}

    def candidates(self, names: list[str]) -> dict[str, Optional[str]]:
        """Return the version that apt would install, by package; None where it knows of none."""
        found: dict[str, Optional[str]] = {}
        current = ""
        for line in output_of(["env", "LC_ALL=C", "apt-cache", "policy", *names]).splitlines() if names else []:
            if line and not line.startswith(" "):
                current = line.rstrip(":")
            elif line.strip().startswith("Candidate:"):
                version = line.split(":", 1)[1].strip()
                found[current] = None if version == "(none)" else version
        return found

    def has_lists(self) -> bool:
        """Say whether lists of packages were ever read on this machine."""
        return any(Path("/var/lib/apt/lists").glob("*_Packages*"))


def _run(command: list[str]) -> None:
    """Run apt-get; another update under way is waited for (its lock on the lists has no timeout of its own)."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_ENVIRONMENT},
            check=False,
        )
        said = done.stdout.decode("utf-8", "replace")
        if done.returncode == 0:
            return
        if "Could not get lock" not in said or time.monotonic() > deadline:
            wrong = [line for line in said.splitlines() if line.startswith(("E:", "W:"))]
            raise RuntimeError(f"{' '.join(command)}: {' '.join(wrong) or said[-500:]}")
        time.sleep(_PAUSE)


APT = Apt()
