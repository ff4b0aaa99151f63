"""One job: one life after the other, or one that is lived again."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import run_state_machine_as_test

from tests.lives import errand
from tests.lives.basis import Basis
from tests.lives.host_machine import HostLife
from tests.lives.host_town import HostTown
from tests.lives.living import Towns
from tests.lives.machine import Life
from tests.lives.town import Town

_BLOCK, _SHRINKING = 9, 90
"""Of ten and more lives hypothesis makes the first tenth small ones."""


class TimeIsUpError(KeyboardInterrupt):
    """No more lives; of all that is raised, hypothesis lets an interrupt through."""


def live(options: argparse.Namespace) -> int:
    """Live until the time is over, or until a life went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="lives-", dir=_short_way()))
    engine.MAX_SHRINKING_SECONDS = _SHRINKING
    deadline = time.monotonic() + options.seconds
    kind = _kind(options, folder)
    failed: list[str] = []

    _end_by_signal(kind)

    def begin() -> None:
        # A life that went wrong is made shorter, however long that takes.
        if not failed and time.monotonic() > deadline:
            raise TimeIsUpError

    def tell(life: Basis[Any], seconds: float, wrong: str) -> None:
        if wrong:
            # What is tried again must not go on in what an earlier try left.
            failed[:], kind.towns.lives = [_again(life.script)], 1
        _tell(life, seconds, wrong)
        if wrong and options.hosts:
            # To make it shorter takes a new set of hosts and a life for each try.
            raise TimeIsUpError

    kind.begin, kind.ended = staticmethod(begin), staticmethod(tell)
    block = 0
    try:
        while True:
            drawn = (options.seed * 1000 + options.job) * 1000 + block
            run_state_machine_as_test(seed(drawn)(type("Lives", (kind,), {})), settings=_settings(options))
            block += 1
    except TimeIsUpError:
        sys.stdout.write("".join(failed))
        return int(bool(failed))
    except Exception as error:  # noqa: BLE001 (whatever went wrong is what is looked for)
        sys.stdout.write(_words(error, drawn))
        return 1
    finally:
        _let_be()
        kind.towns.close()
        shutil.rmtree(folder, ignore_errors=True)


def replay(options: argparse.Namespace) -> int:
    """Live one life again, by its script."""
    lives: list[Basis[Any]] = []
    with tempfile.TemporaryDirectory(dir=_short_way()) as folder:
        kind = _kind(options, Path(folder))
        kind.ended = staticmethod(_tell)
        _end_by_signal(kind)

        def begun() -> Basis[Any]:
            lives.append(kind())
            return lives[-1]

        try:
            exec(options.replay.read_text(encoding="utf-8"), {"Lives": begun})
        except AssertionError as error:
            sys.stdout.write(f"{error}\n")
            return 1
        except TimeIsUpError:
            return 1
        finally:
            _let_be()
            for life in lives:
                life.leave()
            kind.towns.close()
    return 0


def _kind(options: argparse.Namespace, folder: Path) -> type[Basis[Any]]:
    """Prepare for lives of the wanted kind, which leave their descriptions below a folder."""
    quick = not options.usual
    if options.hosts:
        name = os.environ.get("REDIS_FLEET_HOSTS", f"host_lives-{options.hosts}")
        HostLife.towns = Towns(lambda: HostTown(name, options.hosts, _own(folder), quick=quick), options.town)
        return HostLife
    errand.prepare()
    Life.mutant = options.mutant
    Life.towns = Towns(lambda: Town(_own(folder) / "box", quick=quick), options.town)
    return Life


def _own(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="life-", dir=folder))


def _end_by_signal(kind: type[Basis[Any]]) -> None:
    """Let SIGTERM and Ctrl-C end everything, judge nothing more, and take all away."""

    def end(*_: object) -> None:
        kind.over = True
        _let_be()
        raise TimeIsUpError

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def _let_be() -> None:
    """Take away to the end what is taken away."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _short_way() -> str | None:
    """Return a folder in memory, where there is one: servers write every write of a life to their files."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _settings(options: argparse.Namespace) -> settings:
    phases = (Phase.generate,) if options.hosts else (Phase.generate, Phase.shrink)
    return settings(
        max_examples=_BLOCK, stateful_step_count=options.steps, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(HealthCheck), phases=phases, report_multiple_bugs=False,
    )  # fmt: skip


def _tell(life: Basis[Any], seconds: float, wrong: str) -> None:
    said = {"seconds": seconds, "wrong": wrong, "script": life.script, "writes": life.records.counted}
    said |= {"spent": life.spent, "past": life.town.past if wrong else [], "noted": life.records.noted}
    said["steps"] = dict(Counter(line.partition("(")[0].removeprefix("state.") for line in life.script))
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _again(script: list[str]) -> str:
    return "\n".join(("state = Lives()", "state.build()", *script, "state.teardown()", ""))


def _words(error: Exception, number: int) -> str:
    """Return the falsifying example as hypothesis prints it, and the seed of its block."""
    notes = "\n".join(getattr(error, "__notes__", []))
    if not isinstance(error, AssertionError):
        notes = "".join(traceback.format_exception(error)) + notes
    return f"{error}\n{notes}\nseed of the block: {number}\n"
