"""Lives, some side by side, until the time is over; what they were, and a script of the first that went wrong.

Exit code 0: nothing was wrong, and at least one life was lived. 1: something was.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from redis_fleet.loopback import PORTS
from tests.harness import releases
from tests.lives.job import live, replay
from tests.lives.mutants import MUTANTS
from tests.lives.telling import Told

_JOBS = 3 * len(os.sched_getaffinity(0))
"""A life waits most of its time."""


def main(arguments: list[str] | None = None) -> int:
    """Run them."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.hosts and options.mutant:
        parser.error("--mutant breaks the code of processes of this machine; take it or --hosts away")
    if options.hosts and (options.jobs or 1) > 1:
        parser.error(
            f"--jobs {options.jobs}: there is one set of hosts, and one life at a time; take it or --hosts away"
        )
    options.steps = options.steps or (10 if options.hosts else 6)
    options.jobs = options.jobs or (1 if options.hosts else _JOBS)
    if options.replay:
        return replay(options)
    return live(options) if options.job is not None else _all(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lives", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long to begin new lives (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same lives (default: %(default)d)")
    parser.add_argument(
        "--hosts", default="", choices=["", *releases.BY_NAME], metavar="RELEASE",
        help="on three hosts of this Debian release instead of in sandboxes, with packets that are dropped",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, help=f"lives side by side (default: {_JOBS}, on hosts 1)")
    parser.add_argument("--steps", type=int, help="steps of a life at most (default: 6, on hosts 10)")
    parser.add_argument(
        "--patience", type=float, default=300,
        help="seconds after these for which lives that have begun are waited for; then they are not judged"
        " (default: %(default)g)",
    )  # fmt: skip
    towns = "lives in one sandbox, or on one set of hosts (default: %(default)d)"
    parser.add_argument("--town", type=int, default=25, help=towns)
    parser.add_argument("--usual", action="store_true", help="the Sentinels' usual periods (else: in one job of many)")
    parser.add_argument("--mutant", default="", choices=["", *MUTANTS], help="break the hand-over first")
    parser.add_argument("--replay", type=Path, help="a script of a life, as it was printed: live that one alone")
    parser.add_argument("--job", type=int, help=argparse.SUPPRESS)
    return parser


def _all(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    began = time.monotonic()
    ports = _shared(options.jobs)
    jobs = [_begin(options, number, ports[number]) for number in range(options.jobs)]
    told = Told(options)
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
        for job in jobs:
            # An interrupted join of a thread takes it for ended: who takes hosts down is waited for itself.
            job.wait()
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
    words += ["--town", options.town, "--jobs", options.jobs]
    words += ["--hosts", options.hosts] if options.hosts else []
    words += ["--usual"] if options.usual or (number and number == options.jobs - 1) else []
    words += ["--mutant", options.mutant] if options.mutant else []
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lives", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, PORTS: ports},
    )  # fmt: skip
