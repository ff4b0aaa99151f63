"""What may happen in the middle of a hand-over, by its name."""

from __future__ import annotations

import signal
import time

from redis_fleet.agent.access import Access
from redis_fleet.observe.request import managed
from tests.lives.judging import Records
from tests.lives.living import MONITOR
from tests.lives.meddling import Fate
from tests.lives.town import Town

CRASHES = "master crashes"
"""And its unit does what it does then."""
FAILING_OVER = "a Sentinel fails over"


def fate_of(town: Town, records: Records, at: int, strike: str) -> Fate:
    """Return what happens to whom, as things are now; who ends by it is noted."""
    if strike == "dies":
        return Fate(at, dies=True)
    if strike.startswith("cut off from "):
        victims = [town.who("master")] if strike.endswith("master") else town.sentinels[1:]
        return Fate(at, cut=frozenset(town.of(each).endpoint.port for each in victims))
    if strike == FAILING_OVER:
        return Fate(at, command=_command(town, town.sentinels[0], "SENTINEL", "FAILOVER", MONITOR))
    if strike == "another is promoted":
        return Fate(at, command=_command(town, town.who("second"), "REPLICAOF", "NO", "ONE"))
    if strike == "two Sentinels die":
        return Fate(at, signals=_killed(town, town.sentinels[1:]))
    name = town.who("master" if strike == CRASHES else strike.split(maxsplit=1)[0])
    if name in town.servers:
        records.ended.append((time.time(), town.place(name)))
    return Fate(
        at, signals=_killed(town, [name]), starts=(tuple(town.launching(name)),) if strike.endswith("restarts") else ()
    )


def _killed(town: Town, names: list[str]) -> tuple[tuple[int, int], ...]:
    return tuple((pid, int(signal.SIGKILL)) for each in names if (pid := town.pid(each)))


def _command(town: Town, name: str, *words: object) -> tuple[Access, tuple[object, ...]]:
    access = managed(town.of(name)).access
    return Access(access.endpoint, access.secret), words
