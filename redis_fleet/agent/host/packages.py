"""Prepare a machine: mask the distribution's own units, install packages, keep kernel settings over a reboot.

With apt-get alone: Ansible's apt module needs python3-apt, which a machine with nothing but Python does not have.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence

from ..messages.files import Prepare, Prepared
from .files import put
from .proc import output_of

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


def install(request: Prepare, dry: bool = False) -> Prepared:
    """Put the files, then install what is missing of the packages; says what was done.

    The links come first: they keep the packages' own units from ever starting. Raises RuntimeError with apt's words.
    """
    written = put(request.files, dry).changed
    there = installed(request.packages)
    missing = tuple(name for name in request.packages if name not in there)
    if missing and not dry:
        _run(_UPDATE)
        _run([*_INSTALL, *missing])
    return Prepared(written, missing)


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


def installed(names: Sequence[str]) -> dict[str, str]:
    """Return the installed versions; a package that is not installed is left out."""
    command = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n", *names]
    rows = [line.split() for line in output_of(command).splitlines()]
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}
