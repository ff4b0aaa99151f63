"""A switchover by election against what a Sentinel does when it is told to: for how long writes are refused."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.switchover_report import ELECTION, FAILOVER
from tests.bench.machines import BenchError
from tests.bench.report import Comparison
from tests.harness.engines import lab
from tests.harness.live.processes import MONITOR, SERVER, Group, eventually, running_group
from tests.harness.live.switching import SENTINELS, Load, healthy, named, switch

Say = Callable[[str], None]
Way = Callable[[Group, str], float]
COORDINATED = "COORDINATED failover"
_COORDINATES = 9
"""The first major version of Valkey whose Sentinels know it."""


def measure(rounds: int, say: Say) -> list[Comparison]:
    """Compare in ``rounds`` rounds on one group, under three writers that never pause beside the one that measures.

    On Valkey 9, where it is at hand, an election is held against a Sentinel's FAILOVER COORDINATED too.
    """
    compared = [_compared({ELECTION: _switch, FAILOVER: _switch}, rounds, say)]
    valkeys = [each for each in lab.available() if each.engine == "valkey"]
    newest = [each for each in valkeys if int(each.version.partition(".")[0]) >= _COORDINATES]
    if not newest:
        say(f"Valkey {_COORDINATES} is not at hand: nothing is held against its FAILOVER COORDINATED")
        return compared
    with _served_by(newest[-1].server):
        return [*compared, _compared({ELECTION: _switch, COORDINATED: _coordinate}, rounds, say)]


def _compared(ways: Mapping[str, Way], rounds: int, say: Say) -> Comparison:
    found: dict[str, list[float]] = {by: [] for by in ways}
    with tempfile.TemporaryDirectory(prefix="rf-bench-") as folder, running_group(Path(folder)) as group:
        with Load(group, 1) as first, Load(group, 2) as second, Load(group, 3) as third:
            for number in range(rounds):
                for by, gaps in found.items():
                    master = named(group)
                    eventually(lambda: healthy(group, master), "all agree")  # noqa: B023
                    gaps.append(ways[by](group, by))
                say(f"round {number + 1}: " + ", ".join(f"{by} {gaps[-1] * 1000:.0f} ms" for by, gaps in found.items()))
        lost = sum(each.lost() for each in (first, second, third))
        if lost:
            raise BenchError(f"{lost} acknowledged writes were lost")
    (ours, mine), (theirs, other) = found.items()
    return Comparison(f"writes refused at an {ours}", f"at a {theirs}", tuple(mine), tuple(other), target=0.5)


def _switch(group: Group, by: str) -> float:
    """Return for how many seconds a client's writes were refused."""
    report = switch(group, by=by)
    if not report.ok or report.write_gap_ms is None:
        raise BenchError(report.failure or "nothing was measured")
    return report.write_gap_ms / 1000


def _coordinate(group: Group, _: str) -> float:
    """Let a Sentinel do it with the master's own FAILOVER, and return the same."""
    old, client = named(group), LocalClient(group.target)
    client.start()
    eventually(lambda: _writes(client), "it writes")
    group.call(SENTINELS[0], "SENTINEL", "FAILOVER", MONITOR, "COORDINATED")
    eventually(lambda: named(group) not in ("", old), "it has another master")
    client.look()
    eventually(lambda: _writes(client), "it goes on")
    tally = client.stop()
    if tally is None:
        raise BenchError("nothing was measured")
    return tally.write_gap_ms / 1000


def _writes(client: LocalClient) -> bool:
    return any(event.acknowledged for event in client.look().events)


@contextmanager
def _served_by(server: Path) -> Iterator[None]:
    """Let groups run another server."""
    before = os.environ.get(SERVER)
    os.environ[SERVER] = str(server)
    try:
        yield
    finally:
        os.environ.pop(SERVER) if before is None else os.environ.update({SERVER: before})
