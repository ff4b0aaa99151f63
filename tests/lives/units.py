"""What systemd would do for the servers of a town whose units hand over: the real code, called at its occasions."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from redis_fleet.agent.messages.unit_handover import END, KNOWLEDGE, PYTHON, READY, START, STOP, UnitHandover
from redis_fleet.render.handover import code
from redis_fleet.topology.service_access import described
from tests.harness.live.sandboxes import ROOT
from tests.harness.live.unit_calls import CLEAN, KILLED
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


class Units:
    """The units of one town; ``mutant`` is what their code is broken by."""

    def __init__(self, town: Town, mutant: str = "") -> None:
        """Prepare nothing yet."""
        self._town, self._mutant = town, mutant

    def start(self, name: str) -> Called:
        """Do what comes before a start."""
        return self._call(name, START, {}, None)

    def stop(self, name: str, fate: Fate | None) -> Called:
        """Do what comes before a stop."""
        return self._call(name, STOP, {}, fate)

    def stopped(self, name: str) -> Called:
        """Do what comes after a stop in order."""
        return self._call(name, END, CLEAN, None)

    def crashed(self, name: str, fate: Fate | None) -> Called:
        """Do what comes after a crash."""
        return self._call(name, END, KILLED, fate)

    def _call(self, name: str, occasion: str, environment: Mapping[str, str], fate: Fate | None) -> Called:
        file = self._files(name)
        command = [*PYTHON, str(file), occasion]
        if fate or self._mutant:
            command = [*PYTHON, "-c", _MEDDLED, str(file), str(ROOT), self._mutant, self._fate(file, fate), occasion]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        began = time.time()
        done = subprocess.run(
            command, env={**clean, **environment}, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        seen: dict[str, object] = {}
        for line in done.stdout.splitlines():
            seen |= json.loads(line)
        assert done.returncode <= 0, done.stderr
        return Called(
            began,
            time.time(),
            done.stderr,
            done.returncode < 0,
            bool(seen.get("promoting")),
            str(seen.get("untrue", "")),
        )

    def _files(self, name: str) -> Path:
        """Put the code, compiled already, and what it knows, as a deployment would."""
        folder = self._town.box.folder / "units" / name
        file = folder / "handover.py"
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
            file.write_text(code(), encoding="utf-8")
            subprocess.run([*PYTHON, str(file), READY], check=True, env={})
        process = self._town.of(name)
        fleet, configuration = self._town.fleet, process.paths.configuration
        values = described(fleet, fleet.services[0])
        knows = UnitHandover(self._town.target, name, configuration, "redis-fleet-lives.service", values)
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
