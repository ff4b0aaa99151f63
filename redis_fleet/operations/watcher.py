"""Reads what the client of an operation sees and tells the timeline what changed."""

from __future__ import annotations

from redis_fleet.agent.messages.client import Event, Look
from redis_fleet.agent.messages.service import SentinelView, ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import name_of
from redis_fleet.operations.ports import Code, WriteCount
from redis_fleet.operations.timeline import Timeline

MARKS = {
    "s_down": "finds the master down",
    "o_down": "knows that enough Sentinels find the master down",
    "failover_in_progress": "says that the failover is in progress",
}


class Watcher:
    """The state of the writer and of each Sentinel's opinion, as of the last look.

    ``acknowledged`` writes so far, ``refusing`` while no write goes through, ``writes_again`` once writes went through
    after a refusal (operations reset it), ``failed`` the reason for which the writer broke down, else empty. ``writes``
    is what the writer had counted about every half second.
    """

    def __init__(self, target: ServiceAccess, timeline: Timeline, seen: ServiceView) -> None:
        """Begin with what was seen before the operation: only changes to that are told."""
        self._target = target
        self._timeline = timeline
        self._opinions = {one.id: self._opinion(one) for one in seen.sentinels}
        self._refused_since_ms: int | None = None
        self.acknowledged = 0
        self.writes_again = False
        self.failed = ""
        self.writes: list[WriteCount] = []

    @property
    def refusing(self) -> bool:
        """Whether the last that is known of the writer is a refusal."""
        return self._refused_since_ms is not None

    def state(self) -> str:
        """Return the words of a tick while writes are refused, else nothing."""
        since = self._refused_since_ms
        return "" if since is None else f"still refused, {(self._timeline.now_ms - since) / 1000:.1f} s"

    def take(self, look: Look) -> ServiceView:
        """Tell the changes of one look and return its view."""
        for event in look.events:
            # The vantage's clock may be another machine's: only the age of the event at the look is used.
            age = max(0.0, look.view.time - event.time)
            self._writer(event, self._timeline.now_ms - round(age * 1000))
        for sentinel in look.view.sentinels:
            self._sentinel(sentinel)
        return look.view

    def _writer(self, event: Event, at_ms: int) -> None:
        self.acknowledged = self.acknowledged if event.acknowledged is None else event.acknowledged
        kind = event.event
        if kind in ("started", "tick"):
            self.writes.append(WriteCount(at_ms, self.acknowledged, event.refused or 0))
        if kind == "master":
            self._note(f"the writer writes to {event.master}, named by {event.named_by}", at_ms)
        elif kind == "refused":
            self._refused_since_ms = at_ms
            self._note(f"first refused write: {event.reason}", at_ms, "writes_refused")
        elif kind == "accepted":
            self._refused_since_ms = None
            self.writes_again = True
            self._note(f"writes are accepted again after {event.gap_ms} ms", at_ms, "writes_accepted")
        elif kind == "failed":
            self.failed = event.reason

    def _note(self, text: str, at_ms: int, code: Code = "") -> None:
        self._timeline.note(text, "writer", at_ms, code)

    def _opinion(self, one: SentinelView) -> list[str]:
        """Return a Sentinel's opinion as phrases."""
        if one.problem:
            return [f"does not answer: {one.problem}"]
        phrases = [phrase for flag, phrase in MARKS.items() if flag in one.flags]
        return [f"names {name_of(self._target, one.master)}", *phrases]

    def _sentinel(self, one: SentinelView) -> None:
        before, now = self._opinions.get(one.id, []), self._opinion(one)
        self._opinions[one.id] = now
        for phrase in now:
            if phrase not in before:
                self._timeline.note(f"{one.id} {phrase}", "sentinel")
