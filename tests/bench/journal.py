"""What a run does to the machines: tasks, told by a callback, and SSH calls, told by programs before the real ones.

Both append to one file. Ansible's linear strategy ends a task everywhere before the next begins, so the order of the
lines says which call belongs to which task.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.report import TaskTime, Trips
from tests.harness.hosts.engine import ROOT
from tests.harness.hosts.hosts import Host

_PROGRAMS = ("ssh", "scp", "sftp")
_CALLBACKS = (ROOT / "tests" / "bench" / "callback", ROOT / "redis_fleet" / "ansible" / "callback")
# printf is a builtin and ">>" appends: one short write, whole also from several processes.
_SHIM = """#!/bin/sh
printf 'call\\t%s\\n' "$(printf '%s ' "$@" | tr '\\n\\t' '  ' | cut -c1-2000)" >> "$BENCH_JOURNAL"
exec {program} "$@"
"""


@dataclass(frozen=True)
class Journal:
    """A folder with the file and the programs in front of ssh, scp and sftp."""

    folder: Path

    def prepare(self) -> dict[str, str]:
        """Make the programs; returns the environment in which a run is written down."""
        self.folder.mkdir(parents=True)
        for name in _PROGRAMS:
            if program := shutil.which(name):
                shim = self.folder / name
                shim.write_text(_SHIM.format(program=program))
                shim.chmod(0o755)
        return {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "BENCH_JOURNAL": str(self._file),
            "ANSIBLE_CALLBACKS_ENABLED": "bench_journal",
            "ANSIBLE_CALLBACK_PLUGINS": ":".join(map(str, _CALLBACKS)),
        }

    @property
    def _file(self) -> Path:
        return self.folder / "journal"

    def trips(self, name: str, began: float, ended: float, hosts: Mapping[str, Host]) -> Trips:
        """Return the tasks with their times and calls; ``began`` and ``ended`` are the run's own, in epoch seconds."""
        addresses = {host.ssh_host: host.machine for host in hosts.values()}
        names, starts, calls = ["(start of Ansible, description and inventory)"], [began], [dict[str, int]()]
        for line in self._file.read_text().splitlines() if self._file.exists() else []:
            kind, _, rest = line.partition("\t")
            if kind == "task":
                at, _, task = rest.partition("\t")
                names.append(task or "(end of Ansible)")
                starts.append(float(at))
                calls.append({})
            elif machine := next((addresses[word] for word in rest.split() if word in addresses), None):
                calls[-1][machine] = calls[-1].get(machine, 0) + 1
        ends = [*starts[1:], ended]
        rows = zip(names, starts, ends, calls, strict=True)
        return Trips(name, tuple(TaskTime(task, end - start, made) for task, start, end, made in rows))
