"""Checking big descriptions against the mere loading of their YAML with PyYAML's C loader."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from redis_fleet.loading import load_fleet
from tests.bench.report import Comparison

TIMES = 5.0
_TURNS = 5


def measure(rounds: int) -> list[Comparison]:
    """Compare 1,000 processes, as services of three with their settings, and as services of five with hardly any.

    What is measured is all that ``check`` says of a file by itself: reading, catalogue, placing, rules. The server's
    own word, where a binary is at hand, is another process's time.
    """
    shapes = {
        "services of three": _described(333, 3, _SETTINGS),
        "services of five, no settings": _described(200, 5, ()),
    }
    found = []
    for name, text in shapes.items():
        target = TIMES if name == "services of three" else None
        ours, theirs = _times(text, rounds)
        found.append(Comparison(f"check 1,000 processes, {name}", "PyYAML's C loader", ours, theirs, "at most", target))
    return found


_SETTINGS = (
    "save: [900 1, 300 10, 60 10000]",
    "appendonly: yes",
    "appendfsync: everysec",
    "maxmemory: 1gb",
    "maxmemory-policy: allkeys-lru",
    "auto-aof-rewrite-percentage: 100",
    "auto-aof-rewrite-min-size: 64mb",
)


def _described(services: int, members: int, settings: tuple[str, ...]) -> str:
    """Return a description whose machines have one server each of up to a hundred services."""
    machines = services * members // 10
    lines = ["plugin: redis_fleet", "name: big", "machines:"]
    lines += [f"  m{number}: {{address: 10.{number // 250}.{number % 250}.1}}" for number in range(machines)]
    lines.append("services:")
    for number in range(services):
        hosts = [f"m{(number * members + each) % machines}" for each in range(members)]
        lines += [f"  s{number}:", f"    master: {hosts[0]}", f"    replicas: [{', '.join(hosts[1:])}]"]
        lines += [f"    port: {7000 + number}", f"    password: not-a-secret-of-service-{number}"]
        lines += ["    config:", *(f"      {each}" for each in settings)] if settings else []
    lines += ["sentinel:", "  machines: [m0, m1, m2]", "  password: not-a-secret-of-sentinels"]
    return "\n".join(lines) + "\n"


def _times(text: str, rounds: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return seconds of the processor by round, the best of a few turns; the first round warms up, and is forgotten."""
    with tempfile.TemporaryDirectory(prefix="redis-fleet-bench-") as folder:
        file = Path(folder) / "big.redis.yml"
        file.write_text(text, encoding="utf-8")
        ours, theirs = [], []
        for _ in range(rounds + 1):
            theirs.append(_best(lambda: yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)))
            ours.append(_best(lambda: load_fleet(str(file))))
    return tuple(ours[1:]), tuple(theirs[1:])


def _best(way: Callable[[], object]) -> float:
    found = []
    for _ in range(_TURNS):
        gc.collect()
        begin = time.process_time()
        way()
        found.append(time.process_time() - begin)
    return min(found)
