"""What an operation is given by its caller: control of processes and roles, a client, a listener; and its bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from redis_fleet.agent.messages.client import Look, Tally
    from redis_fleet.agent.messages.handover import Handover
    from redis_fleet.agent.messages.service import ServiceAccess

Kind = Literal["step", "writer", "sentinel", "tick", "problem"]
Code = Literal["", "writes_refused", "writes_accepted"]


@dataclass(frozen=True)
class Waits:
    """How long an operation waits at most for each of its steps, in seconds."""

    warm_up: float
    failover: float
    rejoin: float
    follow: float

    @property
    def total(self) -> float:
        """The writer's hard bound: all steps, and a minute for what is done between them."""
        return self.warm_up + self.failover + self.rejoin + self.follow + 60


def waits(target: ServiceAccess) -> Waits:
    """Return the bounds for one target.

    A Sentinel whose first attempt fails tries again only after twice the failover-timeout: where that is long, waiting
    for it would only prolong the outage, so at most 30 s of it are granted. A rejoining master may need a whole
    synchronisation.
    """
    down_after, timeout = target.down_after_ms / 1000, target.failover_timeout_ms / 1000
    return Waits(warm_up=15, failover=down_after + min(2 * timeout, 30) + 15, rejoin=180, follow=60)


def refused(why: str) -> str:
    """Return what to tell of something that was refused before anything was touched."""
    return f"nothing was touched: {why}"


class OperationRefusedError(Exception):
    """The service is not fit for the operation; nothing was touched. The text says why, and what to do if anything."""

    @property
    def problem(self) -> str:
        """What to tell whoever asked for it."""
        return refused(str(self))


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened, ``at_ms`` milliseconds after the operation began (the controller's clock).

    ``kind`` is whom it is about, ``code`` what it was, for programs: the first write that was refused, the first one
    that went through again. The rest is only for people, in ``text``.
    """

    at_ms: int
    text: str
    kind: Kind
    code: Code = ""


Say = Callable[[TimelineEvent], None]
"""Takes an event as it happens. Ticks come from a second thread, but never two events at the same time."""


@dataclass(frozen=True)
class WriteCount:
    """How many writes were acknowledged and how many tries were refused until ``at_ms``, on the timeline's clock."""

    at_ms: int
    acknowledged: int
    refused: int


class ProcessControl(Protocol):
    """What is done to processes, by a machine of the deployment."""

    def take_away(self, process_id: str, how: str) -> str:
        """Kill, stop or freeze the process (see ``holding.py`` of the agent's messages) until ``release``.

        Returns the words that say how it is kept away.
        """

    def release(self, process_id: str) -> None:
        """Let the process come back and return once it was started; safe for one that is not held."""


class RoleControl(Protocol):
    """What is done to the roles of processes, on a machine of the deployment; see agent.replication.handover.

    All raise RuntimeError when the machine or the processes could not do it.
    """

    def prefer(self, new: str, *, elect: bool) -> dict[str, int]:
        """Prepare a member (id) to take over, and Sentinel to choose it; returns the priorities to restore.

        For an election Sentinel needs no preparation.
        """

    def may_elect(self, old: str) -> str:
        """Return why the Sentinels cannot be asked to vote for a successor of the master (id); empty: they can."""

    def hand_over(self, old: str, new: str, *, elect: bool) -> Handover:
        """Hand the role over, by an election or by a failover that a Sentinel is told to do."""

    def restore(self, priorities: dict[str, int]) -> list[str]:
        """Put priorities back; returns what did not succeed."""


class Client(Protocol):
    """The writing client and the eyes of the operation, both at the same vantage.

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
