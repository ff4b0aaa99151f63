"""The failover drill: take the master away under writes, watch the Sentinels replace it, count what was lost."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from typing import Any

from redis_fleet.agent.messages.client import Event
from redis_fleet.agent.messages.holding import KILL
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.operations.failover_fitness import disagreements, failover_ended, follows, refusals
from redis_fleet.operations.failover_ways import WAYS
from redis_fleet.operations.operation import GaveUpError, Operation
from redis_fleet.operations.ports import Client, OperationRefusedError, ProcessControl, Say, WriteCount
from redis_fleet.operations.report import MasterChange, Measured

_SLOW = "the client that stays with the old master did not write in time; nothing was touched"


@dataclass(frozen=True, kw_only=True)
class FailoverReport(MasterChange):
    """What a failover drill found; ``how`` is one of failover_ways.py.

    ``stale_acknowledged_lost`` is how many writes are lost that the old master, which was frozen, acknowledged to a
    client that had stayed with it, those after the promotion among them; None where it was not frozen. ``rejoined_ms``
    is the time from the order to let the old master come back until it was a linked replica, None when it never was.
    ``writes`` is what a picture of the failover needs.
    """

    how: str = KILL
    stale_acknowledged_lost: int | None = None
    rejoined_ms: int | None = None
    kept_down: str = ""
    writes: tuple[WriteCount, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values, without ``writes``."""
        return {name: value for name, value in super().to_dict().items() if name != "writes"}


def run(
    target: ServiceAccess,
    processes: ProcessControl,
    client: Client,
    say: Say,
    how: str = KILL,
    stale: Client | None = None,
) -> FailoverReport:
    """Run the drill and report it; a step that fails ends it with a problem in the report.

    ``how`` is one of failover_ways.py. ``stale`` is a client that waits for a frozen master and stays with it.

    Raises OperationRefusedError before anything is touched when the service could not survive it, and what
    ``processes`` and ``client`` raise. Whatever happens after the kill, also KeyboardInterrupt, the old master is
    released and the writer stopped.
    """
    seen = client.look().view
    refused = refusals(target, seen)
    if refused:
        raise OperationRefusedError("; ".join(refused))
    drill = _FailoverDrill(target, processes, client, say, seen, how, stale)
    return drill.report(drill.perform())


class _FailoverDrill(Operation):
    """One drill."""

    def __init__(
        self,
        target: ServiceAccess,
        processes: ProcessControl,
        client: Client,
        say: Say,
        seen: ServiceView,
        how: str,
        stale: Client | None,
    ) -> None:
        super().__init__(target, client, say, seen)
        self._processes, self._how, self._way = processes, how, WAYS[how]
        self._stale = stale
        self._stale_lost: int | None = None
        self._old = name_of(target, agreed_master(seen))
        self._new = ""
        self._kept_down = ""
        self._held = self._held_once = False
        self._rejoined: int | None = None

    def steps(self) -> None:
        self.warm_up("nothing was touched")
        self._take_away()
        self._await_new_master()
        self._await_rejoined()
        self._doing = "waiting for all replicas and Sentinels to agree"
        self.await_agreement(
            lambda seen: disagreements(self._target, seen, self._new),
            self._waits.follow,
            f"all replicas follow {self._new} and all Sentinels name it",
        )

    def _take_away(self) -> None:
        if self._stale:
            self._stale.start()
            self.until(lambda _: any(each.event == "tick" for each in self._stale_events()), self._waits.warm_up, _SLOW)
        self.begin(f"{self._way.order} {self._old}, the master, and keep it away")
        self._watcher.writes_again = False
        # Before the order: a kill that fails half-way has to be undone too.
        self._held = self._held_once = True
        self._kept_down = self._processes.take_away(self._old, self._how)
        self._timeline.note(f"{self._old} {self._way.done}; {self._kept_down}")

    def _stale_events(self) -> tuple[Event, ...]:
        return self._stale.look().events if self._stale else ()

    def _await_new_master(self) -> None:
        self._doing = "waiting for the Sentinels to name a new master"
        bound = f"within {self._waits.failover:.0f} s after {self._old} {self._way.done}"
        failure = f"no new master took writes {bound}"
        self.until(lambda _: bool(self._new) and self._watcher.writes_again, self._waits.failover, failure)
        # A majority is enough for clients. But the Sentinel that leads the failover ends it last, and a machine that
        # comes back before that end is a different drill.
        self._doing = "waiting for the Sentinels to end the failover"
        try:
            self.until(self._replaced, self._waits.follow)
        except GaveUpError:
            self.problem(f"the failover was not ended by all Sentinels within {self._waits.follow:.0f} s")

    def notice(self, seen: ServiceView) -> None:
        """Remember the new master that a majority of the Sentinels names, also when they change it once more."""
        named = name_of(self._target, agreed_master(seen))
        if not self._held_once or not named or named == (self._new or self._old):
            return
        if self._new:
            self.problem(
                f"the Sentinels failed over a second time, from {self._new} to {named}, though {self._new} was not"
                f" touched: down-after-milliseconds {self._target.down_after_ms} may be too small"
            )
        else:
            self._timeline.note(f"a majority of the Sentinels names {named} as the new master")
        self._new = named

    def _await_rejoined(self) -> None:
        began = self._timeline.now_ms
        self.begin(f"let {self._old} come back")
        self.undo()
        self._doing = f"waiting for {self._old} to follow {self._new}"
        bound = f"within {self._waits.rejoin:.0f} s after that"
        self.until(
            lambda seen: follows(self._target, seen, self._old, self._new),
            self._waits.rejoin,
            f"{self._old} did not become a linked replica of the new master {bound}",
        )
        self._rejoined = self._timeline.now_ms - began
        self._timeline.note(f"{self._old} is a linked replica of {self._new}")
        self._count_stale()

    def _count_stale(self) -> None:
        """What is counted is told, and no problem: no Sentinel can keep a frozen master from going on as one."""
        tally = self._stale.stop() if self._stale else None
        if self._stale and tally is None:
            self.problem("the client that stayed with the old master left no tally: what it lost is not known")
        if tally:
            self._stale_lost = tally.acknowledged_lost
            self._timeline.note(
                f"a client that stayed with {self._old} lost {tally.acknowledged_lost} writes that it had acknowledged"
            )

    def _replaced(self, seen: ServiceView) -> bool:
        return bool(self._new) and failover_ended(self._target, seen, self._new)

    def undo(self) -> None:
        """Release the old master once; a release that raises is tried again by the next call."""
        if self._held:
            self._processes.release(self._old)
            self._held = False

    def perform(self, *, measure: bool = True) -> Measured:
        """Do it all, and end the other client whatever happens."""
        with ExitStack() as always:
            if self._stale:
                always.callback(self._stale.stop)
            return super().perform(measure=measure)

    def gave_up(self) -> None:
        """Wait until somebody takes writes again, so that the written numbers can be read back."""
        if not self._held_once:
            return
        self.undo()
        self._doing = "waiting for a master to take writes again"
        try:
            self.until(lambda _: not self._watcher.refusing, self._waits.follow, f"{self._target.service} is down")
        except GaveUpError as error:
            self.problem(str(error))

    def interrupted(self) -> None:
        """Let the failover that was begun end first, if it can, and then the old master go.

        Started in the middle of it, the old master would take writes that are lost when the failover ends.
        """
        if not self._held:
            return
        self.begin(f"interrupted; {self._old} comes back when the Sentinels have replaced it")
        with suppress(GaveUpError):
            self.until(self._replaced, self._waits.failover)
        self.undo()
        self._timeline.note(f"{self._old} was let go")

    def report(self, measured: Measured) -> FailoverReport:
        return FailoverReport(
            service=self._target.service,
            old_master=self._old,
            new_master=self._new,
            **asdict(measured),
            how=self._how,
            stale_acknowledged_lost=self._stale_lost,
            rejoined_ms=self._rejoined,
            kept_down=self._kept_down,
            problems=tuple(self._problems),
            timeline=self._timeline.events,
            writes=tuple(self._watcher.writes),
        )
