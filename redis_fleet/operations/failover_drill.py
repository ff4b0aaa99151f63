"""The failover drill: kill the master under writes, watch the Sentinels replace it, count what was refused and lost."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.operations.failover_fitness import disagreements, failover_ended, follows, refusals
from redis_fleet.operations.operation import GaveUpError, Operation
from redis_fleet.operations.ports import Client, OperationRefusedError, ProcessControl, Say, WriteCount
from redis_fleet.operations.report import MasterChange, Measured


@dataclass(frozen=True, kw_only=True)
class FailoverReport(MasterChange):
    """What a failover drill found.

    ``rejoined_ms`` is the time from the order to let the old master come back until it was a linked replica, None when
    it never was. ``writes`` is what a picture of the failover needs.
    """

    rejoined_ms: int | None = None
    kept_down: str = ""
    writes: tuple[WriteCount, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values, without ``writes``."""
        return {name: value for name, value in super().to_dict().items() if name != "writes"}


def run(target: ServiceAccess, processes: ProcessControl, client: Client, say: Say) -> FailoverReport:
    """Run the drill and report it; a step that fails ends it with a problem in the report.

    Raises OperationRefusedError before anything is touched when the service could not survive it, and what
    ``processes`` and ``client`` raise. Whatever happens after the kill, also KeyboardInterrupt, the old master is
    released and the writer stopped.
    """
    seen = client.look().view
    refused = refusals(target, seen)
    if refused:
        raise OperationRefusedError("; ".join(refused))
    drill = _FailoverDrill(target, processes, client, say, seen)
    return drill.report(drill.perform())


class _FailoverDrill(Operation):
    """One drill."""

    def __init__(
        self, target: ServiceAccess, processes: ProcessControl, client: Client, say: Say, seen: ServiceView
    ) -> None:
        super().__init__(target, client, say, seen)
        self._processes = processes
        self._old = name_of(target, agreed_master(seen))
        self._new = ""
        self._kept_down = ""
        self._held = self._held_once = False
        self._rejoined: int | None = None

    def steps(self) -> None:
        self.warm_up("nothing was killed")
        self._kill()
        self._await_new_master()
        self._await_rejoined()
        self._doing = "waiting for all replicas and Sentinels to agree"
        self.await_agreement(
            lambda seen: disagreements(self._target, seen, self._new),
            self._waits.follow,
            f"all replicas follow {self._new} and all Sentinels name it",
        )

    def _kill(self) -> None:
        self.begin(f"kill {self._old}, the master, and keep it down")
        self._watcher.writes_again = False
        # Before the order: a kill that fails half-way has to be undone too.
        self._held = self._held_once = True
        self._kept_down = self._processes.kill_and_hold(self._old)
        self._timeline.note(f"{self._old} was killed; {self._kept_down}")

    def _await_new_master(self) -> None:
        self._doing = "waiting for the Sentinels to name a new master"
        bound = f"within {self._waits.failover:.0f} s after {self._old} was killed"
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
                f" killed: down-after-milliseconds {self._target.down_after_ms} may be too small"
            )
        else:
            self._timeline.note(f"a majority of the Sentinels names {named} as the new master")
        self._new = named

    def _await_rejoined(self) -> None:
        began = self._timeline.now_ms
        self.begin(f"let {self._old} come back")
        self.undo()
        self._doing = f"waiting for {self._old} to follow {self._new}"
        bound = f"within {self._waits.rejoin:.0f} s after it was started"
        self.until(
            lambda seen: follows(self._target, seen, self._old, self._new),
            self._waits.rejoin,
            f"{self._old} did not become a linked replica of the new master {bound}",
        )
        self._rejoined = self._timeline.now_ms - began
        self._timeline.note(f"{self._old} is a linked replica of {self._new}")

    def _replaced(self, seen: ServiceView) -> bool:
        return bool(self._new) and failover_ended(self._target, seen, self._new)

    def undo(self) -> None:
        """Release the old master once; a release that raises is tried again by the next call."""
        if self._held:
            self._processes.release(self._old)
            self._held = False

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
        """Let the failover that the kill began end first, if it can, and then the old master go.

        Started in the middle of it, the old master would take writes that are lost when the failover ends.
        """
        if not self._held:
            return
        self.begin(f"interrupted; {self._old} comes back when the Sentinels have replaced it")
        with suppress(GaveUpError):
            self.until(self._replaced, self._waits.failover)
        self.undo()
        self._timeline.note(f"{self._old} was started again")

    def report(self, measured: Measured) -> FailoverReport:
        return FailoverReport(
            service=self._target.service,
            old_master=self._old,
            new_master=self._new,
            **asdict(measured),
            rejoined_ms=self._rejoined,
            kept_down=self._kept_down,
            problems=tuple(self._problems),
            timeline=self._timeline.events,
            writes=tuple(self._watcher.writes),
        )
