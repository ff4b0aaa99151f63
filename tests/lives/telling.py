"""What the jobs of a run say, summed up."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Any

_EVERY = 15.0


class Told:
    """What the jobs say, summed up."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._steps: Counter[str] = Counter()
        self._writes: Counter[str] = Counter()
        self._noted: Counter[str] = Counter()
        self._spent: Counter[str] = Counter()
        self._lives = self.given_up = 0
        self.wrong = False
        self._failures: list[str] = []
        self._lock = threading.Lock()
        self._spoke = self._began = time.monotonic()

    @property
    def failed(self) -> bool:
        """Whether a job has ended with a life that went wrong."""
        return bool(self._failures)

    def follow(self, job: subprocess.Popen[str]) -> None:
        """Read what a job says to its end; the first that fails ends all."""
        assert job.stdout
        rest = []
        for line in job.stdout:
            if line.startswith("{"):
                self._take(json.loads(line))
            else:
                rest.append(line)
        if job.wait():
            with self._lock:
                self._failures.append("".join(rest))

    def _take(self, said: dict[str, Any]) -> None:
        with self._lock:
            self._lives += 1
            self._spent.update(said["spent"])
            self._noted.update(said["noted"])
            self._steps.update(said["steps"])
            self._writes.update(said["writes"])
            if self._options.hosts:
                # Few lives, and long ones: each is told of.
                spent = ", ".join(f"{name} {seconds:.0f}" for name, seconds in said["spent"].items())
                self._say(f"{said['seconds']:.0f} s: {spent} s: {'; '.join(said['script'])}")
            if said["wrong"]:
                self.wrong = True
                self._say(f"a life went wrong after {time.monotonic() - self._began:.0f} s: {said['wrong']}")
                for script in (*said["past"], said["script"]):
                    self._say("  " + "; ".join(script))

    def speak(self) -> None:
        """Say how far it is, now and then."""
        with self._lock:
            if time.monotonic() - self._spoke > _EVERY:
                self._spoke = time.monotonic()
                self._say(f"{self._spoke - self._began:.0f} s: {self._lives} lives, {self._steps.total()} steps")

    def end(self, seconds: float) -> int:
        """Say what it was."""
        for failure in self._failures:
            self._say(failure)
        for name, count in [("build", self._lives), *self._steps.most_common(), ("end", self._lives)]:
            self._say(f"{count:6d} {name}, {self._spent[name] / max(1, count):.1f} s each")
        for name, count in sorted(self._noted.items()):
            self._say(f"{count:6d} times {name}")
        for name, count in self._writes.items():
            self._say(f"{count:9,d} writes {name}")
        rate = self._lives / seconds * 60
        verdict = f"{len(self._failures)} violations"
        if self.given_up:
            self._say(f"{self.given_up} lives had not ended and were not judged")
        self._say(f"{self._lives} lives in {seconds:.0f} s ({rate:.0f} a minute), {verdict}, seed {self._options.seed}")
        return 1 if self._failures or not self._lives else 0

    def _say(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
