"""The failover drill: kill the master under writes, watch the Sentinels replace it, count what was refused and lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from redis_fleet.agent.messages.client import Tally
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.operations.failover_fitness import disagreements, failover_ended, follows, refusals
from redis_fleet.operations.ports import Client, DrillRefusedError, FailoverReport, Hands, Say, waits
from redis_fleet.operations.timeline import Timeline
from redis_fleet.operations.watcher import Watcher

WARM_UP = 500
PAUSE = 0.1
# A failover takes down-after plus about 1.2 s where nothing else is wrong (measured on Redis 7.0).
MARGIN_MS = 2000


class _GaveUpError(Exception):
    """A step did not come to its end in time; the text is the problem's sentence."""


def run(target: ServiceAccess, hands: Hands, client: Client, say: Say) -> FailoverReport:
    """Run the drill and report it; a step that fails ends it with a problem in the report.

    Raises DrillRefusedError before anything is touched when the service could not survive it, and what ``hands`` and
    ``client`` raise. Whatever happens after the kill, also KeyboardInterrupt, the old master is released and the writer
    stopped.
    """
    seen = client.look().view
    refused = refusals(target, seen)
    if refused:
        raise DrillRefusedError("; ".join(refused))
    return _Drill(target, hands, client, say, seen).run()


class _Drill:
    """One drill: the steps share what has been seen and said."""

    def __init__(self, target: ServiceAccess, hands: Hands, client: Client, say: Say, seen: ServiceView) -> None:
        self._target, self._hands, self._client = target, hands, client
        self._waits = waits(target)
        self._timeline = Timeline(say, self._state)
        self._watcher = Watcher(target, self._timeline, seen)
        self._old = name_of(target, agreed_master(seen))
        self._new = ""
        self._doing = ""
        self._kept_down = ""
        self._held = self._held_once = False
        self._rejoined: int | None = None
        self._problems: list[str] = []

    def run(self) -> FailoverReport:
        with self._timeline, ExitStack() as always:
            always.callback(self._client.stop)
            always.callback(self._let_go)
            try:
                self._steps()
            except _GaveUpError as error:
                self._problem(str(error))
                if self._held_once:
                    self._let_go()
                    self._last_look()
            except KeyboardInterrupt:
                self._wind_up()
                raise
            self._doing = "reading the written numbers back"
            tally = self._client.stop()
        return self._report(tally)

    def _steps(self) -> None:
        self._warm_up()
        self._kill()
        self._await_new_master()
        self._await_rejoined()
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

    def _until(self, done: Callable[[ServiceView], bool], seconds: float, failure: str) -> None:
        """Look again and again until it is done; raises _GaveUpError after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not done(self._look()):
            if self._watcher.failed:
                raise _GaveUpError(f"the writer broke down: {self._watcher.failed}")
            if time.monotonic() > deadline:
                raise _GaveUpError(failure)
            time.sleep(PAUSE)

    def _look(self) -> ServiceView:
        seen = self._watcher.take(self._client.look())
        self._notice_master(seen)
        return seen

    def _warm_up(self) -> None:
        self._begin(f"start writing to {self._target.service}")
        self._client.start()
        self._until(
            lambda _: self._watcher.acknowledged >= WARM_UP and not self._watcher.refusing,
            self._waits.warm_up,
            f"{WARM_UP} writes were not acknowledged within {self._waits.warm_up:.0f} s; nothing was killed",
        )

    def _kill(self) -> None:
        self._begin(f"kill {self._old}, the master, and keep it down")
        self._watcher.writes_again = False
        # Before the order: a kill that fails half-way has to be undone too.
        self._held = self._held_once = True
        self._kept_down = self._hands.kill_and_hold(self._old)
        self._timeline.note(f"{self._old} was killed; {self._kept_down}")

    def _await_new_master(self) -> None:
        self._doing = "waiting for the Sentinels to name a new master"
        bound = f"within {self._waits.failover:.0f} s after {self._old} was killed"
        failure = f"no new master took writes {bound}"
        self._until(lambda _: bool(self._new) and self._watcher.writes_again, self._waits.failover, failure)
        # A majority is enough for clients. But the Sentinel that leads the failover ends it last, and a machine that
        # comes back before that end is a different drill.
        self._doing = "waiting for the Sentinels to end the failover"
        try:
            self._until(self._replaced, self._waits.follow, "")
        except _GaveUpError:
            self._problem(f"the failover was not ended by all Sentinels within {self._waits.follow:.0f} s")

    def _notice_master(self, seen: ServiceView) -> None:
        """Remember the new master that a majority of the Sentinels names, also when they change it once more."""
        named = name_of(self._target, agreed_master(seen))
        if not self._held_once or not named or named == (self._new or self._old):
            return
        if self._new:
            self._problem(
                f"the Sentinels failed over a second time, from {self._new} to {named}, though {self._new} was not"
                f" killed: down-after-milliseconds {self._target.down_after_ms} may be too small"
            )
        else:
            self._timeline.note(f"a majority of the Sentinels names {named} as the new master")
        self._new = named

    def _await_rejoined(self) -> None:
        began = self._timeline.now_ms
        self._begin(f"let {self._old} come back")
        self._let_go()
        self._doing = f"waiting for {self._old} to follow {self._new}"
        bound = f"within {self._waits.rejoin:.0f} s after it was started"
        self._until(
            lambda seen: follows(self._target, seen, self._old, self._new),
            self._waits.rejoin,
            f"{self._old} did not become a linked replica of the new master {bound}",
        )
        self._rejoined = self._timeline.now_ms - began
        self._timeline.note(f"{self._old} is a linked replica of {self._new}")

    def _await_agreement(self) -> None:
        self._doing = "waiting for all replicas and Sentinels to agree"
        left: list[str] = []

        def done(seen: ServiceView) -> bool:
            left[:] = disagreements(self._target, seen, self._new)
            return not left

        try:
            self._until(done, self._waits.follow, "")
        except _GaveUpError as error:
            for sentence in left if not str(error) else [str(error)]:
                self._problem(sentence)
        else:
            self._timeline.note(f"all replicas follow {self._new} and all Sentinels name it")

    def _wind_up(self) -> None:
        """After an interrupt: let the failover that the kill began end first, if it can, and then the old master go.

        Started in the middle of it, the old master would take writes that are lost when the failover ends.
        """
        if not self._held:
            return
        self._begin(f"interrupted; {self._old} comes back when the Sentinels have replaced it")
        with suppress(_GaveUpError):
            self._until(self._replaced, self._waits.failover, "")
        self._let_go()
        self._timeline.note(f"{self._old} was started again")

    def _replaced(self, seen: ServiceView) -> bool:
        return bool(self._new) and failover_ended(self._target, seen, self._new)

    def _let_go(self) -> None:
        """Release the old master once; a release that raises is tried again by the next call."""
        if self._held:
            self._hands.release(self._old)
            self._held = False

    def _last_look(self) -> None:
        """After giving up: wait until somebody takes writes again, so that the written numbers can be read back."""
        self._doing = "waiting for a master to take writes again"
        try:
            self._until(lambda _: not self._watcher.refusing, self._waits.follow, f"{self._target.service} is down")
        except _GaveUpError as error:
            self._problem(str(error))

    def _report(self, tally: Tally | None) -> FailoverReport:
        self._problems += judge(self._target, tally)
        return FailoverReport(
            ok=not self._problems,
            service=self._target.service,
            old_master=self._old,
            new_master=self._new,
            write_gap_ms=tally.write_gap_ms if tally else None,
            acknowledged=tally.acknowledged if tally else None,
            acknowledged_lost=tally.acknowledged_lost if tally else None,
            refused=tally.refused if tally else None,
            rejoined_ms=self._rejoined,
            kept_down=self._kept_down,
            problems=tuple(self._problems),
            timeline=self._timeline.events,
            writes=tuple(self._watcher.writes),
        )


def judge(target: ServiceAccess, tally: Tally | None) -> list[str]:
    """Return what is wrong with the writer's numbers, each a sentence."""
    if tally is None:
        return ["the writer left no tally: what was lost is not known"]
    found = [tally.problem] if tally.problem else []
    if tally.acknowledged_lost:
        found.append(f"{tally.acknowledged_lost} of {tally.acknowledged} acknowledged writes were lost")
    limit = target.down_after_ms + MARGIN_MS
    if tally.write_gap_ms > limit:
        found.append(
            f"no write was acknowledged for {tally.write_gap_ms} ms, more than {limit} ms"
            f" (down-after-milliseconds {target.down_after_ms} + {MARGIN_MS})"
        )
    return found
