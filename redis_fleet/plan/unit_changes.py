"""What a difference in a systemd unit means: some lines count at once, some at the next start, some need a restart."""

from __future__ import annotations

from typing import Literal

from redis_fleet.agent.host.digest import sha256
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import Observed
from redis_fleet.render.files import has_unit_file, unit_file

Difference = Literal["", "reload", "restart"]

# What a process is given when it starts and would run without until its next start. Everything else is either for
# systemd, which reads it again at once, or hardening, which can wait for the next start.
_AT_START = ("LimitNOFILE=", "ExecStart=", "User=", "ReadWritePaths=", "RuntimeDirectory=")


def unit_difference(fleet: Fleet, process: Process, seen: Observed) -> Difference:
    """Say whether the unit of a process is as described (``""``), or what it takes to make it so."""
    if not has_unit_file(process):
        return ""
    file = unit_file(fleet, process)
    machine = seen.machines[process.machine]
    if machine.fingerprints.get(file.path) == sha256(file.content):
        return ""
    text = machine.texts.get(file.path)
    if text is None:
        return "reload"
    return "restart" if _given(text) != _given(file.content.decode()) else "reload"


def _given(text: str) -> set[str]:
    return {line for line in text.splitlines() if line.startswith(_AT_START)}
