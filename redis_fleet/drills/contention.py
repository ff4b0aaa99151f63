"""Many processes that want the same lock at the same time, and the log that tells whether two ever had it at once.

``python -m redis_fleet.drills.contention`` takes a Job as JSON on its standard input, where no password is seen by
others. It is a process of its own because it forks, which nothing with threads should.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from importlib import import_module
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from redis_fleet.agent.host.interrupts import held_back
from redis_fleet.agent.host.scratch import end_all
from redis_fleet.drills.application_access import Entrance, client_of, need_redis_py
from redis_fleet.drills.lab import LabError
from redis_fleet.project import importing

# How long a section lasts beside what its files take: as long as a quick database transaction.
WORK = 0.001
_LEASE = 10.0


@dataclass(frozen=True)
class Job:
    """So many processes that go through the section so often each; ``lock`` is ``module:class``, empty for none.

    ``folder`` is where they write; ``seconds`` bounds the whole.
    """

    entrance: dict[str, Any]
    key: str
    processes: int
    sections: int
    lock: str
    folder: str
    seconds: float


@dataclass(frozen=True)
class CriticalSection:
    """One stay in the critical section: who, and from when to when on the clock all processes share, in seconds."""

    process: int
    entered: float
    left: float


@dataclass(frozen=True)
class ContentionResult:
    """What a crowd did: its stays, the number in the shared file, what went wrong, and how long it took in seconds."""

    sections: tuple[CriticalSection, ...]
    counted: int
    problems: tuple[str, ...]
    seconds: float

    @property
    def overlaps(self) -> int:
        """How many stays began before another one had ended."""
        return len(overlapping(self.sections))


def overlapping(sections: tuple[CriticalSection, ...]) -> list[CriticalSection]:
    """Return the stays that began while an earlier one still lasted."""
    found, until = [], float("-inf")
    for each in sorted(sections, key=lambda one: one.entered):
        if each.entered < until:
            found.append(each)
        until = max(until, each.left)
    return found


def contend(
    entrance: Entrance, key: str, processes: int, sections: int, lock: str, seconds: float = 60.0
) -> ContentionResult:
    """Let a crowd contend and return what it did; raises LabError when it does not end in time.

    It is ended, with every process of it, whatever happens here.
    """
    with tempfile.TemporaryDirectory(prefix="redis-fleet-crowd-") as folder:
        job = Job(entrance.to_dict(), key, processes, sections, lock, folder, seconds)
        began = time.monotonic()
        process = None
        try:
            with held_back():
                process = subprocess.Popen(
                    [sys.executable, "-m", __name__],
                    env=importing(os.environ),
                    stdin=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    start_new_session=True,  # Ctrl-C is for us, and we end all of it at once
                )
            _, said = process.communicate(json.dumps(asdict(job)), timeout=seconds + 30)
        except subprocess.TimeoutExpired:
            raise LabError(f"{processes} processes did not end within {seconds + 30:g} s") from None
        finally:
            if process:
                with held_back():
                    end_all(process)
        took = time.monotonic() - began
        return _outcome(Path(folder), process.returncode, said, took)


def _outcome(folder: Path, code: int, said: str, seconds: float) -> ContentionResult:
    rows = [line.split() for line in (folder / "log").read_text(encoding="utf-8").splitlines()]
    sections = tuple(CriticalSection(int(who), int(entered) / 1e9, int(left) / 1e9) for who, entered, left in rows)
    counted = int((folder / "counter").read_text(encoding="utf-8") or 0)
    problems = (folder / "problems").read_text(encoding="utf-8").splitlines()
    if code:
        problems.append(f"the crowd ended with exit code {code}: {said.strip()[-300:]}")
    within = max((each.left for each in sections), default=0) - min((each.entered for each in sections), default=0)
    return ContentionResult(sections, counted, tuple(problems), within or seconds)


def main() -> int:
    """Read the job, let the processes go at the same moment, and wait for them."""
    job = Job(**json.load(sys.stdin))
    for name in ("log", "counter", "problems"):
        (Path(job.folder) / name).touch()
    need_redis_py()  # once, here, and not once in each of them
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(job.processes)
    crowd = [context.Process(target=_contender, args=(job, each, gate), daemon=True) for each in range(job.processes)]
    ends = time.monotonic() + job.seconds
    for process in crowd:
        process.start()
    for process in crowd:
        process.join(max(0.0, ends - time.monotonic()))
    return int(any(process.exitcode for process in crowd) or any(process.is_alive() for process in crowd))


def _contender(job: Job, number: int, gate: Barrier) -> None:
    """Go through the section as often as wanted, one process of many."""
    folder = Path(job.folder)
    try:
        client = client_of(Entrance.from_dict(job.entrance))
        client.ping()
        gate.wait(job.seconds)
        for _ in range(job.sections):
            with _lock(job, client):
                _section(folder, number)
    except Exception as error:  # noqa: BLE001  (whatever it was, the drill has to tell it)
        _append(folder / "problems", f"process {number}: {type(error).__name__}: {error}")
        gate.abort()


def _lock(job: Job, client: Any) -> AbstractContextManager[Any]:
    if not job.lock:
        return nullcontext()
    module, _, name = job.lock.partition(":")
    kind = getattr(import_module(module), name)
    lock: AbstractContextManager[Any] = client.lock(
        job.key, timeout=_LEASE, blocking_timeout=job.seconds, lock_class=kind
    )
    return lock


def _section(folder: Path, number: int) -> None:
    """Count up a number in a file, with nothing but the lock around it, and log the stay."""
    entered = time.monotonic_ns()
    counter = folder / "counter"
    count = int(counter.read_text(encoding="utf-8") or 0)
    time.sleep(WORK)
    counter.write_text(str(count + 1), encoding="utf-8")
    _append(folder / "log", f"{number} {entered} {time.monotonic_ns()}")


def _append(path: Path, line: str) -> None:
    # One write to a file opened for appending: lines of many processes do not mix.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(handle, f"{' '.join(line.split())}\n".encode())
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main())
