"""What systemd says about units, and what it is told to do with them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

UNITS = "/etc/systemd/system/"
MARK = "X-Redis-Fleet-Deployment="
"""What a unit says whose it is with; systemd ignores the line."""
# What systemd itself could not do before the program began: "Process exit codes" of systemd.exec(5).
_STEPS = {
    **{"200": "CHDIR", "203": "EXEC", "205": "LIMITS", "216": "GROUP", "217": "USER", "218": "CAPABILITIES"},
    **{"226": "NAMESPACE", "228": "SECCOMP", "233": "RUNTIME_DIRECTORY"},
}
_PROPERTIES = "Id,LoadState,ActiveState,SubState,MainPID,UnitFileState,NRestarts,Result,MemoryMax"


def systemctl(*words: str) -> str:
    """Run systemctl and return what it prints; raises RuntimeError with its own words when it fails."""
    done = subprocess.run(
        ["systemctl", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
        raise RuntimeError(f"systemctl {' '.join(words)}: {said}")
    return done.stdout.decode("utf-8", "replace")


def show(units: list[str], properties: str = _PROPERTIES) -> dict[str, dict[str, str]]:
    """Return the properties of each unit, by the name asked for; unknown units have LoadState ``not-found``."""
    if not units:
        return {}
    blocks = systemctl("show", f"--property={properties}", *units).split("\n\n")
    found = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
    return dict(zip(units, found))


def show_one(unit: str) -> dict[str, str]:
    """Return the properties of one unit."""
    return show([unit])[unit]


def end_of(unit: str) -> str:
    """Return a unit's state in words, with the step at which systemd could not go on, where it was at one."""
    return in_words(show([unit], "ActiveState,Result,ExecMainStatus")[unit])


def in_words(unit: Mapping[str, str]) -> str:
    """Return a unit's properties as ``failed (exit-code)``, and the step behind it."""
    state = f"{unit.get('ActiveState')} ({unit.get('Result')})"
    status = unit.get("ExecMainStatus", "")
    step = _STEPS.get(status) if unit.get("Result") == "exit-code" else None
    return f"{state}: systemd could not set it up, {status}/{step}" if step else state


def starts(unit: str) -> list[list[str]]:
    """Return the command lines that a unit starts, specifiers filled in; none where systemd does not know it."""
    try:
        said = systemctl("show", "--property=ExecStart", unit)
    except (OSError, RuntimeError):
        return []
    # "{ path=… ; argv[]=WORD WORD … ; ignore_errors=… }", as systemctl prints it since version 189.
    return [words.split() for words in re.findall(r"argv\[\]=(\S.*?) ; ignore_errors=", said)]
