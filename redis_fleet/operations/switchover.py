"""The switchover seen from the controller: a client writes, the role is handed over, the client counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import master_of
from redis_fleet.agent.replication.findings import sentences
from redis_fleet.agent.replication.fitness import unaware
from redis_fleet.operations.operation import ClientFailedError, GaveUpError, Operation
from redis_fleet.operations.ports import Client, OperationRefusedError, RoleControl, Say
from redis_fleet.operations.report import Measured
from redis_fleet.operations.switchover_fitness import Choice, decide, disagreements, overtaken, silent
from redis_fleet.operations.switchover_report import ELECTION, FAILOVER, SwitchoverReport

# Sentinels ask each replica for its priority every 10 s.
PREFERENCE = 30.0


def run(
    target: ServiceAccess,
    roles: RoleControl,
    client: Client,
    say: Say,
    to: str | None = None,
    *,
    measure: bool = True,
    by: str = "",
) -> SwitchoverReport:
    """Switch a service over to a machine or process (id; None: the fittest replica) and report it.

    ``by`` is ELECTION or FAILOVER, empty: an election where one can be won. With ``measure`` false the client only
    looks, nothing is written. Raises OperationRefusedError before anything is touched, and what ``client`` raises.
    KeyboardInterrupt of a look is raised again after undoing what was done, or, when the role was handed over already,
    after finishing.
    """
    seen = client.look().view
    choice = decide(target, seen, to)
    if choice.why:
        raise OperationRefusedError("; ".join(choice.why))
    way = _Way() if choice.nothing_to_do else _way(target, roles, choice.old, by)
    switchover = _Switchover(target, roles, client, say, seen, choice, measure=measure, way=way)
    return switchover.report(Measured() if choice.nothing_to_do else switchover.perform(measure=measure))


@dataclass(frozen=True)
class _Way:
    """How the role is handed over, and ``why`` not by an election that was not forbidden."""

    by: str = ""
    why: str = ""

    @property
    def elect(self) -> bool:
        """Whether it is an election."""
        return self.by == ELECTION


def _way(target: ServiceAccess, roles: RoleControl, old: str, by: str) -> _Way:
    """Choose; raises OperationRefusedError where it has to be an election, and none can be won."""
    if not target.monitor or by == FAILOVER:
        return _Way(by if target.monitor else "")
    try:
        why = roles.may_elect(old)
    except RuntimeError as error:
        why = str(error)
    if why and by == ELECTION:
        raise OperationRefusedError(f"no election can be won: {why}")
    return _Way(FAILOVER, why) if why else _Way(ELECTION)


class _Switchover(Operation):
    """One switchover."""

    def __init__(
        self,
        target: ServiceAccess,
        roles: RoleControl,
        client: Client,
        say: Say,
        seen: ServiceView,
        choice: Choice,
        *,
        measure: bool,
        way: _Way,
    ) -> None:
        super().__init__(target, client, say, seen)
        self._roles, self._measure, self._way = roles, measure, way
        self._absent = silent(seen)
        self._old, self._wanted = choice.old, choice.new
        self._new = choice.old if choice.nothing_to_do else ""
        self._priorities: dict[str, int] = {}
        self._undone = False

    def steps(self) -> None:
        for name in self._absent:
            self._timeline.note(f"{name} does not answer; it is not waited for")
        if self._way.why:
            self._timeline.note(f"no election, but a failover that a Sentinel is told to do: {self._way.why}")
        self._prefer()
        if self._measure:
            self.warm_up("nothing was touched")
        if not self._way.elect:
            self._await_preference()
        self._hand_over()
        self._await_agreement()

    def _prefer(self) -> None:
        self.begin(f"prepare {self._wanted} to take over")
        try:
            self._priorities = self._roles.prefer(self._wanted, elect=self._way.elect)
        except RuntimeError as error:
            raise GaveUpError(f"{self._wanted} could not be prepared: {error}") from error

    def _await_preference(self) -> None:
        """Sentinels promote the replica with the lowest priority number that they know of."""
        if not self._target.monitor:
            return
        self._doing = f"waiting for the Sentinels to learn that {self._wanted} is preferred; they ask every 10 s"
        left: list[str] = []

        def done(seen: ServiceView) -> bool:
            left[:] = sentences(unaware(self._target, seen, self._wanted))
            return not left

        try:
            self.until(done, PREFERENCE)
        except ClientFailedError:
            raise
        except GaveUpError:
            raise GaveUpError(f"{'; '.join(left)} after {PREFERENCE:.0f} s") from None
        self._timeline.note(f"all Sentinels prefer {self._wanted}")

    def _hand_over(self) -> None:
        self.begin(f"hand over from {self._old} to {self._wanted}")
        self._watcher.writes_again = False
        try:
            outcome = self._roles.hand_over(self._old, self._wanted, elect=self._way.elect)
        except RuntimeError as error:
            self.problem(f"the machine that does it was lost: {error}")
            self._find_out()
            return
        at_ms = self._timeline.now_ms
        for note in outcome.notes:
            # That machine's clock may be another: only the age at the end of the call is used.
            self._timeline.note(note.text, at_ms=at_ms - round((outcome.time - note.time) * 1000))
        for sentence in outcome.problems:
            self.problem(sentence)
        self._new, self._undone = outcome.master, outcome.undone

    def _find_out(self) -> None:
        """The machine may be at it still: what everybody else says afterwards decides."""
        self._doing = "waiting for a new master"

        def changed(seen: ServiceView) -> bool:
            self._new = master_of(self._target, seen)
            return self._new not in ("", self._old)

        try:
            self.until(changed, self._waits.follow)
        except GaveUpError:
            self._new = ""
            self.problem(f"{self._old} is still the master; where it refuses writes, run the switchover again")

    def _await_agreement(self) -> None:
        if not self._new:
            return
        self._doing = f"waiting for all replicas and Sentinels to follow {self._new}"
        names = " and all Sentinels name it" if self._target.monitor else ""
        self.await_agreement(
            lambda seen: disagreements(self._target, seen, self._new, self._absent),
            self._waits.rejoin,
            f"all replicas follow {self._new}{names}",
            served=True,
            vain=lambda seen: overtaken(self._target, seen, self._old, self._new, elected=self._way.elect),
        )

    def undo(self) -> None:
        """Put priorities back, once."""
        priorities, self._priorities = self._priorities, {}
        if not priorities:
            return
        self.begin("put the priorities back")
        try:
            problems = self._roles.restore(priorities)
        except RuntimeError as error:
            problems = [f"the priorities were not put back: {error}"]
        for sentence in problems:
            self.problem(sentence)

    def gave_up(self) -> None:
        """Before the promotion only priorities were changed, and those are put back."""
        self._undone = not self._new

    def interrupted(self) -> None:
        """Finish what was handed over; else nothing but priorities was changed."""
        if self._new:
            self.begin("interrupted; the switchover is finished first")
            self._await_agreement()
        else:
            self.begin("interrupted; everything stays as it was")

    def report(self, measured: Measured) -> SwitchoverReport:
        return SwitchoverReport(
            service=self._target.service,
            old_master=self._old,
            new_master=self._new,
            **asdict(measured),
            undone=self._undone,
            by=self._way.by,
            problems=tuple(self._problems),
            timeline=self._timeline.events,
        )
