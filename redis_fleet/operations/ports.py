"""What a drill is made of: what its caller brings (``Hands``, ``Client``), what comes out (``FailoverReport``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from redis_fleet.agent.messages.client import Look, Tally
from redis_fleet.agent.messages.service import ServiceAccess

Kind = Literal["step", "writer", "sentinel", "tick", "problem"]


@dataclass(frozen=True)
class Waits:
    """How long the drill waits at most for each of its steps, in seconds."""

    warm_up: float
    failover: float
    rejoin: float
    follow: float

    @property
    def total(self) -> float:
        """The writer's hard bound: all steps, and a minute for the hands between them."""
        return self.warm_up + self.failover + self.rejoin + self.follow + 60


def waits(target: ServiceAccess) -> Waits:
    """Return the bounds for one target.

    A Sentinel whose first attempt fails tries again only after twice the failover-timeout: where that is long, waiting
    for it would only prolong the outage, so at most 30 s of it are granted. A rejoining master may need a whole
    synchronisation.
    """
    down_after, timeout = target.down_after_ms / 1000, target.failover_timeout_ms / 1000
    return Waits(warm_up=15, failover=down_after + min(2 * timeout, 30) + 15, rejoin=180, follow=60)


class DrillRefusedError(Exception):
    """The service is not fit for a drill; nothing was touched. The text says which process and why."""


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened, ``at_ms`` milliseconds after the drill began (the controller's clock)."""

    at_ms: int
    text: str
    kind: Kind


Say = Callable[[TimelineEvent], None]
"""Takes an event as it happens. Ticks come from a second thread, but never two events at the same time."""


@dataclass(frozen=True)
class WriteCount:
    """How many writes were acknowledged and how many tries were refused until ``at_ms``, on the timeline's clock."""

    at_ms: int
    acknowledged: int
    refused: int


class Hands(Protocol):
    """What the drill does to processes: over Ansible on machines, by plain signals in a sandbox."""

    def kill_and_hold(self, process_id: str) -> str:
        """SIGKILL the process and keep it down; returns the words that say how it is kept down."""

    def release(self, process_id: str) -> None:
        """Let the process come back and return once it was started; safe for one that is not held."""


class Client(Protocol):
    """The writing client and the eyes of the drill, both at the same vantage.

    All of it is made of ``redis_fleet.agent.load_client.writer``: ``start_detached``, ``look``, ``stop``.
    """

    def start(self) -> None:
        """Start the writer; returns when it runs, not when it has found the master."""

    def look(self) -> Look:
        """Return the writer's events since the last call and what Sentinels and members say now.

        Works before ``start`` and after ``stop`` too, then without events.
        """

    def stop(self) -> Tally | None:
        """End the writer and return its tally, None if it left none; safe to call twice or without ``start``."""


@dataclass(frozen=True)
class FailoverReport:
    """What a failover drill found; ``ok`` exactly when ``problems`` is empty.

    ``old_master`` and ``new_master`` are ids (``new_master`` empty when there was none). ``write_gap_ms`` is the
    longest time between two acknowledged writes. ``acknowledged_lost`` are acknowledged writes that the new master
    does not have, ``refused`` the tries that failed. ``rejoined_ms`` is the time from the order to let the old master
    come back until it was a linked replica.
    Numbers that could not be measured are None. ``writes`` is what a picture of the failover needs.
    """

    ok: bool
    service: str
    old_master: str
    new_master: str
    write_gap_ms: int | None
    acknowledged: int | None
    acknowledged_lost: int | None
    refused: int | None
    rejoined_ms: int | None
    kept_down: str
    problems: tuple[str, ...]
    timeline: tuple[TimelineEvent, ...]
    writes: tuple[WriteCount, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values, without ``writes``."""
        return {name: value for name, value in asdict(self).items() if name != "writes"}
