"""The switchover seen from the controller: a client writes, the role is handed over, the client counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

from redis_fleet.agent.messages.client import Tally
from redis_fleet.agent.messages.handover import Handover
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import master_of
from redis_fleet.agent.replication.findings import sentences
from redis_fleet.agent.replication.fitness import unaware
from redis_fleet.operations.failover_drill import judge
from redis_fleet.operations.ports import Client, Say, waits
from redis_fleet.operations.switchover_fitness import Choice, decide, disagreements, silent
from redis_fleet.operations.switchover_report import SwitchoverRefusedError, SwitchoverReport
from redis_fleet.operations.timeline import Timeline
from redis_fleet.operations.watcher import Watcher

WARM_UP = 500
PAUSE = 0.1
# Sentinels ask each replica for its priority every 10 s.
PREFERENCE = 30.0


class Hands(Protocol):
    """What the switchover does to processes, on a machine of the deployment; see agent.replication.handover.

    All raise RuntimeError when the machine or the processes could not do it.
    """

    def prefer(self, new: str) -> dict[str, int]:
        """Prepare a member (id) to take over, and Sentinel to choose it; returns the priorities to restore."""

    def hand_over(self, old: str, new: str) -> Handover:
        """Hand the role over."""

    def restore(self, priorities: dict[str, int]) -> list[str]:
        """Put priorities back; returns what did not succeed."""


class _GaveUpError(Exception):
    """A step did not come to its end in time; the text is the problem's sentence."""


def run(
    target: ServiceAccess, hands: Hands, client: Client, say: Say, to: str | None = None, *, measure: bool = True
) -> SwitchoverReport:
    """Switch a service over to a machine or process (id; None: the fittest replica) and report it.

    With ``measure`` false the client only looks, nothing is written. Raises SwitchoverRefusedError before anything is
    touched, and what ``client`` raises. KeyboardInterrupt of a look is raised again after undoing what was done, or,
    when the role was handed over already, after finishing.
    """
    seen = client.look().view
    choice = decide(target, seen, to)
    if choice.why:
        raise SwitchoverRefusedError("; ".join(choice.why))
    switchover = _Switchover(target, hands, client, say, seen, choice)
    return switchover.report(None) if choice.nothing_to_do else switchover.run(measure=measure)


class _Switchover:
    """One switchover: the steps share what has been seen and said."""

    def __init__(
        self, target: ServiceAccess, hands: Hands, client: Client, say: Say, seen: ServiceView, choice: Choice
    ) -> None:
        self._target, self._hands, self._client = target, hands, client
        self._waits = waits(target)
        self._timeline = Timeline(say, self._state)
        self._watcher = Watcher(target, self._timeline, seen)
        self._absent = silent(seen)
        self._old, self._wanted = choice.old, choice.new
        self._new = choice.old if choice.nothing_to_do else ""
        self._doing = ""
        self._priorities: dict[str, int] = {}
        self._undone = False
        self._problems: list[str] = []

    def run(self, *, measure: bool) -> SwitchoverReport:
        with self._timeline, ExitStack() as always:
            always.callback(self._client.stop)
            always.callback(self._restore)
            try:
                self._steps(measure=measure)
            except _GaveUpError as error:
                self._problem(str(error))
                # Before the promotion only priorities were changed, and those are put back now.
                self._undone = not self._new
            except KeyboardInterrupt:
                self._wind_up()
                raise
            self._restore()
            tally = self._tally() if measure else None
        return self.report(tally, judged=measure)

    def _steps(self, *, measure: bool) -> None:
        for name in self._absent:
            self._timeline.note(f"{name} does not answer; it is not waited for")
        self._prefer()
        if measure:
            self._warm_up()
        self._await_preference()
        self._hand_over()
        self._await_agreement()

    def _state(self) -> str:
        """Return the words of a tick."""
        return self._watcher.state() or self._doing

    def _begin(self, text: str) -> None:
        self._doing = text
        self._timeline.note(text)

    def _problem(self, text: str) -> None:
        self._problems.append(text)
        self._timeline.note(text, "problem")

    def _until(self, done: Callable[[ServiceView], bool], seconds: float, failure: Callable[[], str]) -> None:
        """Look again and again until it is done; raises _GaveUpError after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not done(self._watcher.take(self._client.look())):
            if self._watcher.failed:
                raise _GaveUpError(f"the writer broke down: {self._watcher.failed}")
            if time.monotonic() > deadline:
                raise _GaveUpError(failure())
            time.sleep(PAUSE)

    def _warm_up(self) -> None:
        self._begin(f"start writing to {self._target.service}")
        self._client.start()
        bound = self._waits.warm_up
        self._until(
            lambda _: self._watcher.acknowledged >= WARM_UP and not self._watcher.refusing,
            bound,
            lambda: f"{WARM_UP} writes were not acknowledged within {bound:.0f} s; nothing was touched",
        )

    def _prefer(self) -> None:
        self._begin(f"prepare {self._wanted} to take over")
        try:
            self._priorities = self._hands.prefer(self._wanted)
        except RuntimeError as error:
            raise _GaveUpError(f"{self._wanted} could not be prepared: {error}") from error

    def _await_preference(self) -> None:
        """Sentinels promote the replica with the lowest priority number that they know of."""
        if not self._target.monitor:
            return
        self._doing = f"waiting for the Sentinels to learn that {self._wanted} is preferred; they ask every 10 s"
        left: list[str] = []

        def done(seen: ServiceView) -> bool:
            left[:] = sentences(unaware(self._target, seen, self._wanted))
            return not left

        self._until(done, PREFERENCE, lambda: f"{'; '.join(left)} after {PREFERENCE:.0f} s")
        self._timeline.note(f"all Sentinels prefer {self._wanted}")

    def _hand_over(self) -> None:
        self._begin(f"hand over from {self._old} to {self._wanted}")
        self._watcher.writes_again = False
        try:
            outcome = self._hands.hand_over(self._old, self._wanted)
        except RuntimeError as error:
            self._problem(f"the machine that does it was lost: {error}")
            self._find_out()
            return
        at_ms = self._timeline.now_ms
        for note in outcome.notes:
            # That machine's clock may be another: only the age at the end of the call is used.
            self._timeline.note(note.text, at_ms=at_ms - round((outcome.time - note.time) * 1000))
        for sentence in outcome.problems:
            self._problem(sentence)
        self._new, self._undone = outcome.master, outcome.undone

    def _find_out(self) -> None:
        """The machine may be at it still: what everybody else says afterwards decides."""
        self._doing = "waiting for a new master"

        def changed(seen: ServiceView) -> bool:
            self._new = master_of(self._target, seen)
            return self._new not in ("", self._old)

        try:
            self._until(changed, self._waits.follow, lambda: "")
        except _GaveUpError:
            self._new = ""
            self._problem(f"{self._old} is still the master; where it refuses writes, run the switchover again")

    def _await_agreement(self) -> None:
        if not self._new:
            return
        self._doing = f"waiting for all replicas and Sentinels to follow {self._new}"
        left: list[str] = []

        def done(seen: ServiceView) -> bool:
            left[:] = disagreements(self._target, seen, self._new, self._absent)
            return not left and not self._watcher.refusing

        try:
            self._until(done, self._waits.rejoin, lambda: "")
        except _GaveUpError as error:
            for sentence in left if not str(error) else [str(error)]:
                self._problem(sentence)
        else:
            names = " and all Sentinels name it" if self._target.monitor else ""
            self._timeline.note(f"all replicas follow {self._new}{names}")

    def _restore(self) -> None:
        """Put priorities back, once."""
        priorities, self._priorities = self._priorities, {}
        if not priorities:
            return
        self._begin("put the priorities back")
        try:
            problems = self._hands.restore(priorities)
        except RuntimeError as error:
            problems = [f"the priorities were not put back: {error}"]
        for sentence in problems:
            self._problem(sentence)

    def _wind_up(self) -> None:
        """After an interrupt: finish what was handed over; else nothing but priorities was changed."""
        if self._new:
            self._begin("interrupted; the switchover is finished first")
            self._await_agreement()
        else:
            self._begin("interrupted; everything stays as it was")

    def _tally(self) -> Tally | None:
        self._doing = "reading the written numbers back"
        return self._client.stop()

    def report(self, tally: Tally | None, *, judged: bool = False) -> SwitchoverReport:
        """Return how it went."""
        problems = [*self._problems, *(judge(self._target, tally) if judged else [])]
        return SwitchoverReport(
            ok=not problems,
            service=self._target.service,
            old_master=self._old,
            new_master=self._new,
            write_gap_ms=tally.write_gap_ms if tally else None,
            acknowledged=tally.acknowledged if tally else None,
            acknowledged_lost=tally.acknowledged_lost if tally else None,
            refused=tally.refused if tally else None,
            undone=self._undone,
            problems=tuple(problems),
            timeline=self._timeline.events,
        )
