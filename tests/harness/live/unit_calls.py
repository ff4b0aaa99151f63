"""What a unit calls when its server starts, stops and ends, called as systemd would, for servers that have no unit."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis_fleet.agent.messages.unit_handover import END, KNOWLEDGE, UnitHandover, heir_of, lock_of, stopping_of
from redis_fleet.render.handover import code
from tests.harness.live.processes import Group
from tests.harness.live.switching import USUAL, described


def unit_of(group: Group) -> str:
    """Return a unit that nobody else has; it does not exist."""
    return f"redis-fleet-test-{hashlib.sha256(str(group.folder).encode()).hexdigest()[:12]}.service"


@contextmanager
def stopping(group: Group) -> Iterator[None]:
    """Say meanwhile that somebody stops the server on purpose, as the unit's ExecStop does."""
    mark = Path(stopping_of(unit_of(group)))
    try:
        mark.touch()
        yield
    finally:
        mark.unlink()


def forget(group: Group) -> None:
    """Remove what was left behind."""
    for path in (lock_of, heir_of):
        Path(path(unit_of(group))).unlink(missing_ok=True)


def knows(group: Group, name: str) -> UnitHandover:
    """Return what the unit of a member would know."""
    conf = str(group.folder / name / "conf")
    return UnitHandover(group.target, name, conf, unit_of(group), described(USUAL))


def code_of(group: Group, name: str, text: str = "") -> Path:
    """Put the code and what it knows (or another text) beside a member, as a deployment does; returns the code."""
    folder = group.folder / f"unit-{name}"
    folder.mkdir(exist_ok=True)
    if not (folder / "handover.py").exists():
        (folder / "handover.py").write_text(code(), encoding="utf-8")
    (folder / KNOWLEDGE).write_text(text or knows(group, name).to_text(), encoding="utf-8")
    return folder / "handover.py"


def begin(file: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the code for an occasion."""
    command = ["/usr/bin/python3", "-I", str(file), *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.Popen(command, env=clean, stderr=subprocess.PIPE, text=True)


def called(group: Group, name: str, occasion: str = END) -> str:
    """Call the code for an occasion, wait for its end and return what the journal would have of it."""
    process = begin(code_of(group, name), occasion)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    return said
