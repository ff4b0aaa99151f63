"""Changing what runs, in a sandbox: a live and a rolling change against a run with nothing to do."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.machines import BenchError
from tests.bench.report import Comparison
from tests.harness.live.sandboxes import Box, box

Say = Callable[[str], None]
_PLACE = "    config:                      # redis.conf directives under their own names"


def measure(rounds: int, say: Say) -> list[Comparison]:
    """Compare in ``rounds`` rounds; the last change goes from round to round, so that each has something to do."""
    found: dict[str, list[float]] = {"idle": [], "live": [], "roll": []}
    with tempfile.TemporaryDirectory(prefix="rf-bench-") as folder, box(Path(folder) / "box", "sentinel") as made:
        text = made.file.read_text(encoding="utf-8")
        for number in range(rounds):
            found["idle"].append(_deployed(made, text))
            found["live"].append(_deployed(made, _with(text, f"maxmemory-samples: {number + 6}")))
            found["roll"].append(_deployed(made, _with(text, f"databases: {number + 20}")))
            _deployed(made, text)
            say(f"round {number + 1}: " + ", ".join(f"{name} {times[-1]:.1f} s" for name, times in found.items()))
    idle = tuple(found["idle"])
    return [
        Comparison("a live change of three servers", "nothing to do", tuple(found["live"]), idle),
        Comparison("a rolling change of three servers", "nothing to do", tuple(found["roll"]), idle),
    ]


def _with(text: str, line: str) -> str:
    if _PLACE not in text:
        raise BenchError("the sample has no place for another directive")
    return text.replace(_PLACE, f"{_PLACE}\n      {line}")


def _deployed(made: Box, text: str) -> float:
    made.file.write_text(text, encoding="utf-8")
    begin = time.monotonic()
    done = made.on("deploy", "--yes")
    took = time.monotonic() - begin
    if done.code:
        raise BenchError(done.both)
    return took
