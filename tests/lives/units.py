"""What systemd would do for the servers of a town whose units hand over: the real code, called at its occasions."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from redis_fleet.agent.messages.unit_handover import (
    END,
    KNOWLEDGE,
    PYTHON,
    READY,
    START,
    STOP,
    WAIT,
    UnitHandover,
    lock_of,
    stopping_of,
)
from redis_fleet.render.handover import code
from redis_fleet.topology.service_access import described
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import ROOT
from tests.lives.meddling import Fate
from tests.lives.town import Town

PATIENCE = 60.0
"""Seconds; a call of a unit ends itself long before."""
# Of the agent only what a unit has, and of the tests what needs no more than that.
_MEDDLED = """
import sys
code, root, mutant, fate = sys.argv[1:5]
names = {"__name__": "unit", "__file__": code}
exec(compile(open(code, encoding="utf-8").read(), code, "exec"), names)
names["install"]()
sys.path.append(root)
from tests.lives.meddling import as_unit
sys.exit(as_unit(code, mutant, fate, sys.argv[5:]))
"""


@dataclass(frozen=True)
class Called:
    """A call that has ended: when it was (wall clock), what it said, and what a meddled one was seen to do.

    ``killed``: it did not come to its end. ``promoting``: it had come to the promotion.
    """

    began: float
    ended: float
    said: str = ""
    killed: bool = False
    promoting: bool = False
    untrue: str = ""


class Waiting:
    """Somebody who waits for the end of a server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Take a process."""
        self._process, self._began = process, time.time()

    def ready(self) -> bool:
        """Whether it waits by now."""
        assert self._process.poll() is None, self._process.communicate()
        links = [_target(each) for each in Path(f"/proc/{self._process.pid}/fd").iterdir()]
        return any(each.endswith("[pidfd]") for each in links)

    def end(self) -> Called:
        """Wait until it has done what there is to do; the server has ended."""
        return _ended(self._process, self._began)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _ended(process: subprocess.Popen[str], began: float) -> Called:
    heard, said = process.communicate(timeout=PATIENCE)
    seen: dict[str, object] = {}
    for line in heard.splitlines():
        seen |= json.loads(line)
    assert process.returncode <= 0, said
    promoting, untrue = bool(seen.get("promoting")), str(seen.get("untrue", ""))
    return Called(began, time.time(), said, process.returncode < 0, promoting, untrue)


class Units:
    """The units of one town; ``mutant`` is what their code is broken by."""

    def __init__(self, town: Town, mutant: str = "") -> None:
        """Prepare nothing yet."""
        self._town, self._mutant = town, mutant

    def start(self, name: str) -> Called:
        """Do what comes before a start."""
        self._mark(name).unlink(missing_ok=True)
        return self._call(name, None, START)

    def stop(self, name: str, fate: Fate | None) -> Called:
        """Do what comes before a stop."""
        self._mark(name).touch()
        return self._call(name, fate, STOP)

    def ended(self, name: str, fate: Fate | None = None) -> Called:
        """Do what comes after the end of a server, whatever ended it."""
        return self._call(name, fate, END)

    def waiting(self, name: str, fate: Fate | None) -> Waiting:
        """Let somebody wait for the end of a server that runs."""
        process = self._begin(name, fate, WAIT, str(self._town.pid(name)))
        waits = Waiting(process)
        eventually(waits.ready, f"somebody waits for the end of {name}", 30)
        return waits

    def forget(self) -> None:
        """Remove what lies outside of the town."""
        for name in self._town.servers if self._town.built else ():
            self._mark(name).unlink(missing_ok=True)
            Path(lock_of(self._unit(name))).unlink(missing_ok=True)

    def _unit(self, name: str) -> str:
        where = f"{self._town.box.folder}/{name}"
        return f"redis-fleet-life-{hashlib.sha256(where.encode()).hexdigest()[:12]}.service"

    def _mark(self, name: str) -> Path:
        return Path(stopping_of(self._unit(name)))

    def _call(self, name: str, fate: Fate | None, *arguments: str) -> Called:
        return _ended(self._begin(name, fate, *arguments), time.time())

    def _begin(self, name: str, fate: Fate | None, *arguments: str) -> subprocess.Popen[str]:
        file = self._files(name)
        command = [*PYTHON, str(file), *arguments]
        if fate or self._mutant:
            command = [*PYTHON, "-c", _MEDDLED, str(file), str(ROOT), self._mutant, self._fate(file, fate), *arguments]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        return subprocess.Popen(command, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def _files(self, name: str) -> Path:
        """Put the code, compiled already, and what it knows, as a deployment would."""
        folder = self._town.box.folder / "units" / name
        file = folder / "handover.py"
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
            file.write_text(code(), encoding="utf-8")
            subprocess.run([*PYTHON, str(file), READY], check=True, env={}, stderr=subprocess.DEVNULL)
        process = self._town.of(name)
        fleet, configuration = self._town.fleet, process.paths.configuration
        values = described(fleet, fleet.services[0])
        knows = UnitHandover(self._town.target, name, configuration, self._unit(name), values)
        knowledge = folder / KNOWLEDGE
        knowledge.touch(mode=0o600)
        knowledge.write_text(knows.to_text(), encoding="utf-8")
        return file

    def _fate(self, file: Path, fate: Fate | None) -> str:
        if not fate:
            return ""
        kept = file.with_name("fate")
        kept.touch(mode=0o600)
        kept.write_bytes(pickle.dumps(fate))
        return str(kept)
