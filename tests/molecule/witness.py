"""What a deployment that has nothing to do must leave alone: roles, processes, and what the Sentinels remember.

``python -m tests.molecule.witness FILE`` records it for the description in REDIS_FLEET_DESCRIPTION.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.molecule.expected import Expected, Process
from tests.molecule.remote import ask, host, properties

_MEMORY = r"^sentinel (myid|monitor|current-epoch|config-epoch|leader-epoch) "


def record(process: Process) -> dict[str, object]:
    """Return what is to stay as it is of one process."""
    started = properties(process, "MainPID", "ActiveEnterTimestamp", "NRestarts")
    if process.kind == "sentinel":
        lines = host(process.machine).check_output("grep -E %s %s", _MEMORY, process.configuration).splitlines()
        return {**started, "memory": sorted(lines)}
    role, *rest = ask(process, "ROLE")
    return {**started, "role": role, "master": rest[:2] if role == "slave" else []}


def main() -> None:
    """Record every process of the description."""
    expected = Expected(Path(os.environ["REDIS_FLEET_DESCRIPTION"]))
    found = {process.id: record(process) for process in expected.processes}
    Path(sys.argv[1]).write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
