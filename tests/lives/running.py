"""Lives, some side by side, until the time is over; what they were, and a script of the first that went wrong.

Exit code 0: nothing was wrong, and at least one life was lived. 1: something was.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import run_state_machine_as_test

from redis_fleet.loopback import PORTS
from tests.lives import errand
from tests.lives.machine import Life
from tests.lives.mutants import MUTANTS
from tests.lives.town import Towns

_BLOCK, _SHRINKING = 9, 90
"""Of ten and more lives hypothesis makes the first tenth small ones."""
_EVERY = 15.0
_JOBS = 3 * len(os.sched_getaffinity(0))
"""A life waits most of its time."""


class TimeIsUpError(KeyboardInterrupt):
    """No more lives; of all that is raised, hypothesis lets an interrupt through."""


def main(arguments: list[str] | None = None) -> int:
    """Run them."""
    options = _parser().parse_args(arguments)
    if options.replay:
        return _replay(options)
    return _one(options) if options.job is not None else _all(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lives", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long to begin new lives (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same lives (default: %(default)d)")
    parser.add_argument("--jobs", type=int, default=_JOBS, help="lives side by side (default: %(default)d)")
    parser.add_argument("--steps", type=int, default=6, help="steps of a life at most (default: %(default)d)")
    parser.add_argument(
        "--patience", type=float, default=300,
        help="seconds after these for which lives that have begun are waited for; then they are not judged"
        " (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument("--town", type=int, default=25, help="lives in one sandbox (default: %(default)d)")
    parser.add_argument("--usual", action="store_true", help="the Sentinels' usual periods (else: in one job of many)")
    parser.add_argument("--mutant", default="", choices=["", *MUTANTS], help="break the hand-over first")
    parser.add_argument("--replay", type=Path, help="a script of a life, as it was printed: live that one alone")
    parser.add_argument("--job", type=int, help=argparse.SUPPRESS)
    return parser


# All jobs.


def _all(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    began = time.monotonic()
    ports = _shared(options.jobs)
    jobs = [_begin(options, number, ports[number]) for number in range(options.jobs)]
    told = _Told(options)
    threads = [threading.Thread(target=told.follow, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        last = began + options.seconds + options.patience
        while any(thread.is_alive() for thread in threads) and not told.failed:
            if time.monotonic() > last and not told.wrong:
                told.given_up = sum(thread.is_alive() for thread in threads)
                break
            for thread in threads:
                thread.join(0.2)
            told.speak()
    finally:
        for job in jobs:
            job.terminate()
        for thread in threads:
            thread.join()
    return told.end(time.monotonic() - began)


def _shared(jobs: int) -> list[str]:
    """Return ports for each job: what one stopped for a moment, another must not take."""
    first, last = map(int, os.environ.get(PORTS, "10000-32767").split("-"))
    size = (last - first + 1) // jobs
    return [f"{first + number * size}-{first + (number + 1) * size - 1}" for number in range(jobs)]


def _begin(options: argparse.Namespace, number: int, ports: str) -> subprocess.Popen[str]:
    words = ["--seconds", options.seconds, "--seed", options.seed, "--steps", options.steps, "--job", number]
    words += ["--town", options.town]
    words += ["--usual"] if options.usual or (number and number == options.jobs - 1) else []
    words += ["--mutant", options.mutant] if options.mutant else []
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lives", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, PORTS: ports},
    )  # fmt: skip


class _Told:
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


# One job.


def _one(options: argparse.Namespace) -> int:
    folder = Path(tempfile.mkdtemp(prefix="lives-", dir=_short_way()))
    engine.MAX_SHRINKING_SECONDS = _SHRINKING
    errand.prepare()
    deadline = time.monotonic() + options.seconds
    Life.mutant, Life.towns = options.mutant, Towns(folder, options.town, quick=not options.usual)
    failed = [False]

    def end(*_: object) -> None:
        Life.over = True
        # Once: what is taken away then is taken away to the end.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise TimeIsUpError

    signal.signal(signal.SIGTERM, end)

    def begin() -> None:
        # A life that went wrong is made shorter, however long that takes.
        if not failed[0] and time.monotonic() > deadline:
            raise TimeIsUpError

    def tell(life: Life, seconds: float, wrong: str) -> None:
        if wrong:
            # What is tried again must not go on in what an earlier try left.
            failed[0], Life.towns.lives = True, 1
        _tell(life, seconds, wrong)

    Life.begin, Life.ended = staticmethod(begin), staticmethod(tell)
    block = 0
    try:
        while True:
            number = (options.seed * 1000 + options.job) * 1000 + block
            run_state_machine_as_test(seed(number)(type("Lives", (Life,), {})), settings=_settings(options.steps))
            block += 1
    except TimeIsUpError:
        return 0
    except Exception as error:  # noqa: BLE001 (whatever went wrong is what is looked for)
        sys.stdout.write(_words(error, number))
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Life.towns.close()
        shutil.rmtree(folder, ignore_errors=True)


def _replay(options: argparse.Namespace) -> int:
    errand.prepare()
    Life.mutant, Life.ended = options.mutant, staticmethod(_tell)
    with tempfile.TemporaryDirectory(dir=_short_way()) as folder:
        Life.towns = Towns(Path(folder), options.town, quick=not options.usual)
        lives: list[Life] = []

        def begun() -> Life:
            lives.append(Life())
            return lives[-1]

        try:
            exec(options.replay.read_text(encoding="utf-8"), {"Lives": begun})
        except AssertionError as error:
            sys.stdout.write(f"{error}\n")
            return 1
        finally:
            for life in lives:
                life.leave()
            Life.towns.close()
    return 0


def _short_way() -> str | None:
    """Return a folder in memory, where there is one: servers write every write of a life to their files."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _settings(steps: int) -> settings:
    return settings(
        max_examples=_BLOCK, stateful_step_count=steps, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink), report_multiple_bugs=False,
    )  # fmt: skip


def _tell(life: Life, seconds: float, wrong: str) -> None:
    said = {"seconds": seconds, "wrong": wrong, "script": life.script, "writes": life.records.counted}
    said |= {"spent": life.spent, "past": life.town.past if wrong else [], "noted": life.records.noted}
    said["steps"] = dict(Counter(line.partition("(")[0].removeprefix("state.") for line in life.script))
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _words(error: Exception, number: int) -> str:
    """Return the falsifying example as hypothesis prints it, and the seed of its block."""
    notes = "\n".join(getattr(error, "__notes__", []))
    if not isinstance(error, AssertionError):
        notes = "".join(traceback.format_exception(error)) + notes
    return f"{error}\n{notes}\nseed of the block: {number}\n"
