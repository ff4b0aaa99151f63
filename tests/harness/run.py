"""Run the parts of the tests side by side: ``python -m tests.harness.run --images 12``; the Makefile's targets.

Each part writes to a log of its own under .cache/test-logs; what is printed is one line as a part ends, and the whole
log of a part that failed. In the end comes what was skipped, by reason, and the last line counts everything:
``12 passed, 0 failed, 1 skipped``.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.harness import parts, prerequisites
from tests.harness.counts import Counts
from tests.harness.parts import LOGS, ROOT, Part
from tests.harness.releases import BY_NAME

SIDE_BY_SIDE = 2
_printing = threading.Lock()
_running: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


@dataclass(frozen=True)
class Outcome:
    """What became of one part: its counts, the seconds it took, and why how much of it was skipped."""

    part: Part
    counts: Counts
    seconds: float
    skips: Counter[str]


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen parts; returns 0 only when nothing failed."""
    options = _parser().parse_args(arguments)
    only = options.only.split(",") if options.only else []
    images = list(BY_NAME) if options.images == "all" else options.images.split(",")
    chosen = parts.choose(only, images, every_part=options.every_part)
    missing = prerequisites.provide({need for part in chosen for need in part.needs}, _say)
    LOGS.mkdir(parents=True, exist_ok=True)
    _say(f"{len(chosen)} parts, {SIDE_BY_SIDE} side by side; logs in {LOGS.relative_to(ROOT)}/")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        try:
            outcomes = list(pool.map(lambda part: _run(part, missing), chosen))
        except KeyboardInterrupt:
            _stop()
            _say("interrupted")
            return 130
    total = sum((outcome.counts for outcome in outcomes), Counts())
    for outcome in outcomes:
        if outcome.counts.failed:
            _say(f"failed: {outcome.part.name}, see {outcome.part.log.relative_to(ROOT)}")
    for line in _skipped(outcomes):
        _say(line)
    _say(str(total))
    return 1 if total.failed or not total.passed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.run", description=__doc__)
    parser.add_argument("--images", default="12", help="releases for the molecule scenarios, or all (default: 12)")
    parser.add_argument(
        "--only",
        default="",
        help="only these parts: lint, pytest, drills, takeover, faults, wheel, systemd or a scenario's name",
    )
    parser.add_argument("--every-part", action="store_true", help="networks that are cut and the wheel on machines too")
    return parser


def _run(part: Part, missing: dict[str, str]) -> Outcome:
    """Run one part to its end and report it."""
    reasons = ["interrupted"] if _stopping.is_set() else [missing[need] for need in part.needs if need in missing]
    if reasons:
        _say(f"SKIP {part.name}: {'; '.join(reasons)}")
        return Outcome(part, Counts(skipped=1), 0, Counter({f"all of it: {'; '.join(reasons)}": 1}))
    part.forget()
    begin = time.monotonic()
    ends = begin + part.seconds
    with part.log.open("wb") as log:
        good = [not _stopping.is_set() and _execute(command, part, log.fileno(), ends) for command in part.commands]
        for command in part.finally_:
            _execute(command, part, log.fileno(), time.monotonic() + 60)
    outcome = Outcome(part, part.count(good), time.monotonic() - begin, part.skips())
    _report(outcome)
    return outcome


def _skipped(outcomes: Iterable[Outcome]) -> list[str]:
    """Return a line for each reason that something was skipped for in a part."""
    rows = [(count, each.part.name, reason) for each in outcomes for reason, count in each.skips.most_common()]
    return [f"skipped: {count} of {name}: {reason}" for count, name, reason in rows]


def _execute(command: Iterable[str], part: Part, log: int, ends: float) -> bool:
    """Run one command in a session of its own, so that all of it can be stopped; True when it succeeded in time."""
    os.write(log, f"$ {' '.join(command)}\n".encode())
    process = subprocess.Popen(
        list(command),
        cwd=ROOT,
        env={**os.environ, **part.environment},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    _running.add(process)
    try:
        return process.wait(timeout=max(1.0, ends - time.monotonic())) == 0
    except subprocess.TimeoutExpired:
        _end(process)
        os.write(log, f"stopped: the part may take {part.seconds:g} s\n".encode())
        return False
    finally:
        _running.discard(process)


def _report(outcome: Outcome) -> None:
    """Print one part's line, and its whole log when it failed."""
    if _stopping.is_set():
        return
    part, counts = outcome.part, outcome.counts
    verdict = "FAIL" if counts.failed else "PASS"
    line = f"{verdict} {part.name}: {counts} ({outcome.seconds:.0f} s)"
    if counts.failed:
        text = part.log.read_text(errors="replace")
        line = f"{'=' * 100}\n{line}\n{'-' * 100}\n{text}{'=' * 100}"
    _say(line)


def _stop() -> None:
    """Stop what runs and begin nothing more; each part still takes its test hosts away."""
    _stopping.set()
    for process in list(_running):
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End one command with everything it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _say(text: str) -> None:
    with _printing:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
