"""Planning for big deployments from recorded observations: seconds and memory, and how both grow."""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from pathlib import Path

from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.observe.facts import Observed
from redis_fleet.plan.planner import plan
from tests.bench.report import Growth
from tests.unit.cases.builder import observed

SIZES = (10, 30, 100, 300, 600, 1000)
_SENTINELS = 5
_MEMBERS = 5
_A_MACHINE = 6
_ROUNDS = 5


def measure() -> list[Growth]:
    """Plan for deployments of SIZES processes, with nothing to do and with one directive to change everywhere."""
    return [_measured(size) for size in SIZES]


def _measured(size: int) -> Growth:
    fleet = described(size)
    idle = _seconds(fleet, {})
    change = _seconds(fleet, {"config": {"maxmemory": "1048576"}})
    tracemalloc.start()
    made = plan(fleet, recorded(fleet, {"config": {"maxmemory": "1048576"}}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    servers = sum(process.kind == "server" for process in fleet.processes)
    if len(made.steps) != servers or made.refusals:
        raise RuntimeError(f"{len(made.steps)} steps for {servers} servers: {made.refusals[:3]}")
    return Growth(len(fleet.machines), len(fleet.processes), idle, change, peak / 2**20)


def described(size: int) -> Fleet:
    """Place a deployment of so many processes: services of five, five Sentinels, six processes a machine."""
    machines = max(_MEMBERS, round(size / _A_MACHINE))
    lines = ["plugin: redis_fleet", "name: big", "machines:"]
    lines += [f"  m{number}: {{address: 10.{number // 250}.{number % 250}.1}}" for number in range(machines)]
    lines.append("services:")
    places = 0
    for number in range(max(1, round((size - _SENTINELS) / _MEMBERS))):
        hosts = [f"m{(places + each) % machines}" for each in range(min(_MEMBERS, size - _SENTINELS))]
        places += len(hosts)
        replicas = ", ".join(hosts[1:])
        lines.append(
            f"  s{number}: {{master: {hosts[0]}, replicas: [{replicas}], port: {7000 + number}, password: p{number}}}"
        )
    sentinels = ", ".join(f"m{number}" for number in range(_SENTINELS))
    lines.append(f"sentinel: {{machines: [{sentinels}], quorum: 3, password: watch}}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "big.redis.yml"
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return load_fleet(str(file))


def recorded(fleet: Fleet, change: dict[str, object]) -> Observed:
    """Return what a healthy deployment shows, each server with one change."""
    processes = {process.id: change for process in fleet.processes if process.kind == "server"} if change else {}
    return observed(fleet, {"processes": processes})


def _seconds(fleet: Fleet, change: dict[str, object]) -> float:
    """Return the processor's time of the quickest of some rounds, each with observations that nobody has looked at."""
    found = []
    for _ in range(_ROUNDS):
        seen = recorded(fleet, change)
        begin = time.process_time()
        plan(fleet, seen)
        found.append(time.process_time() - begin)
    return min(found)
