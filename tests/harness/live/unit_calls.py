"""What a unit calls when its server starts, stops and ends, called as systemd would, for servers that have no unit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from redis_fleet.agent.messages.unit_handover import END, KNOWLEDGE, UnitHandover
from redis_fleet.render.handover import code
from tests.harness.live.processes import Group
from tests.harness.live.switching import USUAL, described

KILLED = {"SERVICE_RESULT": "signal", "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}
CLEAN = {"SERVICE_RESULT": "success", "EXIT_CODE": "exited", "EXIT_STATUS": "0"}


def knows(group: Group, name: str) -> UnitHandover:
    """Return what the unit of a member would know."""
    conf = str(group.folder / name / "conf")
    return UnitHandover(group.target, name, conf, "redis-fleet-test.service", described(USUAL))


def code_of(group: Group, name: str, text: str = "") -> Path:
    """Put the code and what it knows (or another text) beside a member, as a deployment does; returns the code."""
    folder = group.folder / f"unit-{name}"
    folder.mkdir(exist_ok=True)
    if not (folder / "handover.py").exists():
        (folder / "handover.py").write_text(code(), encoding="utf-8")
    (folder / KNOWLEDGE).write_text(text or knows(group, name).to_text(), encoding="utf-8")
    return folder / "handover.py"


def begin(file: Path, occasion: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start the code for an occasion."""
    command = ["/usr/bin/python3", "-I", str(file), occasion]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.Popen(command, env={**clean, **environment}, stderr=subprocess.PIPE, text=True)


def called(group: Group, name: str, occasion: str = END, environment: Mapping[str, str] = KILLED) -> str:
    """Call the code for an occasion, wait for its end and return what the journal would have of it."""
    process = begin(code_of(group, name), occasion, environment)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    return said
