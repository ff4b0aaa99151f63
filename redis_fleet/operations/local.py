"""The client of an operation on this machine: the writer as a subprocess."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile

from redis_fleet.agent.host.interrupts import held_back
from redis_fleet.agent.load_client import writer
from redis_fleet.agent.messages.client import Look, Tally, Writing
from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.operations.ports import waits
from redis_fleet.project import importing

END = 5.0


class LocalClient:
    """A ``Client`` whose writer runs beside this process; ``seconds`` is the writer's hard bound.

    ``patience`` (seconds, 0: the usual) is how long it waits for an answer.
    """

    def __init__(self, target: ServiceAccess, seconds: float | None = None, patience: float = 0.0) -> None:
        """Keep the target; nothing runs yet. The bound is by default enough for every wait of an operation."""
        self._target, self._patience = target, patience
        self._seconds = waits(target).total if seconds is None else seconds
        self._folder: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._offset = 0
        self._tally: Tally | None = None

    def start(self) -> None:
        """Start the writer; it learns the passwords on standard input and outlives a Ctrl-C at the terminal."""
        with held_back():
            self._folder = tempfile.mkdtemp(prefix="redis-fleet-drill-")
            self._process = subprocess.Popen(
                [sys.executable, "-m", writer.__name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=importing(os.environ),
                start_new_session=True,
            )
        secrets: list[str] = []
        task = Writing(self._target, self._folder, self._seconds, self._patience).to_json(secrets)
        if self._process.stdin:
            self._process.stdin.write(json.dumps({"task": task, "secrets": secrets}).encode())
            self._process.stdin.close()

    def look(self) -> Look:
        """Return new events and the view from here."""
        seen = writer.look(self._target, self._folder, self._offset)
        self._offset = seen.offset
        return seen

    def stop(self) -> Tally | None:
        """End the writer, remove its files and return its tally."""
        if self._process and self._folder:
            folder, self._folder = self._folder, None
            try:
                self._tally = writer.stop(folder)
                self._process.wait(END)
            finally:
                self._process.kill()
                self._process.wait()
                shutil.rmtree(folder, ignore_errors=True)
        return self._tally
