"""A switchover by election against one by a failover that a Sentinel is told to do: for how long writes are refused."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.agent.replication.view import view
from redis_fleet.operations.switchover_report import ELECTION, FAILOVER
from tests.bench.machines import BenchError
from tests.bench.report import Comparison
from tests.harness.live.processes import Group, eventually, running_group
from tests.harness.live.switching import Load, healthy, switch

Say = Callable[[str], None]


def measure(rounds: int, say: Say) -> list[Comparison]:
    """Compare in ``rounds`` rounds on one group, under three writers that never pause beside the one that measures."""
    found: dict[str, list[float]] = {ELECTION: [], FAILOVER: []}
    with tempfile.TemporaryDirectory(prefix="rf-bench-") as folder, running_group(Path(folder)) as group:
        with Load(group, 1) as first, Load(group, 2) as second, Load(group, 3) as third:
            for number in range(rounds):
                for by, gaps in found.items():
                    gaps.append(_gap(group, by))
                say(f"round {number + 1}: " + ", ".join(f"{by} {gaps[-1] * 1000:.0f} ms" for by, gaps in found.items()))
        lost = sum(each.lost() for each in (first, second, third))
        if lost:
            raise BenchError(f"{lost} acknowledged writes were lost")
    elected, ordered = tuple(found[ELECTION]), tuple(found[FAILOVER])
    return [Comparison("writes refused at an election", "at a Sentinel's failover", elected, ordered, target=0.5)]


def _gap(group: Group, by: str) -> float:
    """Return for how many seconds a client's writes were refused."""
    master = name_of(group.target, agreed_master(view(group.target)))
    eventually(lambda: healthy(group, master), "all agree")
    report = switch(group, by=by)
    if not report.ok or report.write_gap_ms is None:
        raise BenchError(report.failure or "nothing was measured")
    return report.write_gap_ms / 1000
