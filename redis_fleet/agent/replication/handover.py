"""Hand the master's role over without losing a write: fence the old master, let a replica catch up, promote it, demote.

All of it runs on one machine of the deployment, so that losing the controller in the middle does no harm. The fence is
``min-replicas-to-write FENCE``: every write is refused at once while the replicas go on reading, no timer can run out,
and a run that is killed leaves a master that refuses writes, not one that loses them. (Before Redis 7.0 only plain
commands are checked: a script may write past the fence.)
Why not a plain SENTINEL FAILOVER: the old master goes on taking writes for about ten seconds, and all of them are lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..messages.handover import Handover, Note
from ..messages.service import ServiceAccess
from ..messages.usual_values import Described, UsualValues
from .agreement import name_of
from .connections import Servers
from .election import Election
from .fence import FENCE, FENCE_LAG, MAX_LAG, MIN_REPLICAS
from .findings import sentences
from .fitness import barred, unfit, unready
from .roles import GaveUpError, announcing, follow, lift, promote, promote_one, said_or, why
from .sentinel_failover import SentinelOrder, StillUnderWayError
from .view import CONNECTION_ERRORS, describe_error, view
from .voter import NotElectedError

CATCH_UP, DEMOTION = 3.0, 5.0
PAUSE, CATCHING_UP = 0.01, 0.001


def hand_over(
    target: ServiceAccess,
    old: str,
    new: str,
    described: Described,
    *,
    elect: bool = False,
    about_to_promote: Callable[[str], None] = lambda _: None,
) -> Handover:
    """Hand the role over from one member (id) to another; with Sentinels through them, else by REPLICAOF.

    With ``elect`` it is done here and the Sentinels only vote and are told, else one of them is ordered to fail over;
    ``about_to_promote`` is then told each member (id) just before it may become the master.
    Whatever fails before the promotion is undone. After it the old master is never let go, only demoted.
    """
    with Servers(target) as servers:
        return _HandOver(target, servers, old, new, described, elect=elect, about_to_promote=about_to_promote).run()


class _HandOver:
    """One hand-over: the steps share what was found and done."""

    def __init__(
        self,
        target: ServiceAccess,
        servers: Servers,
        old: str,
        new: str,
        described: Described,
        *,
        elect: bool,
        about_to_promote: Callable[[str], None],
    ) -> None:
        self._about_to_promote = about_to_promote
        self._target, self._servers, self._described = target, servers, described
        self._old, self._new, self._master = old, new, ""
        self._replicas: list[str] = []
        self._others: list[str] = []
        self._barred: list[str] = []
        self._before: dict[str, str] = {}
        self._order = SentinelOrder(target, servers, old, self._note)
        self._election = Election(target, old, self._note) if elect and target.monitor else None
        self._undone = False
        self._problems: list[str] = []
        self._notes: list[Note] = []

    def run(self) -> Handover:
        try:
            self._check()
            self._prepare()
            self._fence()
            self._await_offsets()
            self._promote()
        except StillUnderWayError as error:
            self._problems.append(str(error))
        except (GaveUpError, NotElectedError, *CONNECTION_ERRORS) as error:
            self._problems.append(why(error))
            self._undo()
        else:
            self._finish()
        if self._election:
            self._problems += self._election.close()
        return Handover(self._master, self._undone, tuple(self._problems), tuple(self._notes), time.time())

    def _note(self, text: str) -> None:
        self._notes.append(Note(time.time(), text))

    def _check(self) -> None:
        """Look once more: since the first look a while has passed."""
        seen = view(self._target)
        found = unfit(self._target, seen, self._old, self._new)
        found += unready(self._target, seen, self._old) if self._target.monitor else []
        if found:
            raise GaveUpError("; ".join(sentences(found)))
        linked = [each for each in seen.members if not each.problem and each.link_up]
        self._replicas = [each.id for each in linked if name_of(self._target, each.follows) == self._old]
        self._others = [each.id for each in seen.members if not each.problem]
        self._barred = [each.id for each in seen.members if barred(each)]
        lift(self._servers, self._new, self._described)

    def _prepare(self) -> None:
        """Have all at hand that an election takes."""
        if self._election:
            self._election.prepare()
            self._servers.get_ready(self._new, self._old, *self._others)
            self._election.shorten()

    def _fence(self) -> None:
        """Let the old master refuse every write from now on."""
        least, lag = self._servers.get(self._old, MIN_REPLICAS), self._servers.get(self._old, MAX_LAG)
        if least == str(FENCE):
            usual = self._described.get(self._old, UsualValues())
            least, lag = said_or(usual.min_replicas, "0"), said_or(usual.max_lag, lag)
        self._before = {MIN_REPLICAS: least, MAX_LAG: lag}
        if self._servers.get(self._old, MAX_LAG) == "0":
            self._servers.set(self._old, MAX_LAG, FENCE_LAG)
        self._servers.set(self._old, MIN_REPLICAS, FENCE)
        self._note(f"{self._old} refuses writes ({MIN_REPLICAS} {FENCE}, before {least})")

    def _await_offsets(self) -> None:
        """Wait until every replica has all that the old master ever acknowledged."""
        end, deadline = self._servers.offset(self._old), time.monotonic() + CATCH_UP
        left = list(self._replicas)
        while left:
            left = [name for name in left if self._servers.offset(name) < end]
            if left and time.monotonic() > deadline:
                raise GaveUpError(f"{', '.join(left)} did not catch up with {self._old} within {CATCH_UP:.0f} s")
            if left:
                time.sleep(CATCHING_UP)
        self._note(f"{', '.join(self._replicas)} have every write of {self._old}")

    def _promote(self) -> None:
        if self._election:
            self._promote_elected(self._election)
        elif self._target.monitor:
            self._master = self._order.promote(self._replicas)
            if not self._master:
                raise GaveUpError(self._order.why)
            if self._master != self._new:
                self._problems.append(f"the Sentinels promoted {self._master}, not {self._new}; it has all writes too")
        else:
            unsaved = promote(self._servers, self._new, self._old)
            self._master = self._new
            self._problems += [unsaved] if unsaved else []
        self._note(f"{self._master} is a master")

    def _promote_elected(self, election: Election) -> None:
        """An epoch that was won is used, by whichever replica: all have every write."""
        election.win()
        others = [each for each in self._replicas if each not in (self._new, *self._barred)]
        heirs = announcing([self._new, *others], self._about_to_promote)
        self._master, unsaved, failed = promote_one(self._servers, heirs, self._old)
        self._problems += unsaved
        self._problems += [f"{each}; {self._master} was promoted, it has all writes too" for each in failed]
        place = self._servers.node(self._master).announced
        untold = election.announce(self._master, place, lambda: self._servers.is_master(self._master))
        if untold and self._servers.follows(self._master) == self._old:
            # A Sentinel put everything back; whoever it knows as the master must take writes.
            self._master = ""
            raise GaveUpError("; ".join(untold))
        self._problems += untold

    def _undo(self) -> None:
        """Let the old master take writes again; nobody was promoted."""
        try:
            for directive, value in self._before.items():
                self._servers.set(self._old, directive, value)
            # Only what came after the order can have made it save its file.
            if self._before and self._order.given:
                self._servers.rewrite(self._old)
            self._undone = True
            self._note(f"undone: {self._old} is the master as before" if self._before else "nothing was changed")
        except CONNECTION_ERRORS as error:
            self._problems.append(
                f"{self._old} could not be told to take writes again ({describe_error(error)}); if it runs it refuses"
                " them: run the switchover again when it answers"
            )

    def _finish(self) -> None:
        """Make the old master a replica, then repoint the others; what fails is told and left to the Sentinels.

        The fence goes last: while it stands, a later run knows that there is something to finish.
        """
        demoted = self._demote()
        for name in [] if self._target.monitor and not self._election else self._others:
            if name not in (self._old, self._master):
                self._problems += follow(self._servers, name, self._master)
        if demoted:
            self._unfence()

    def _demote(self) -> bool:
        deadline = time.monotonic() + DEMOTION
        while True:
            try:
                unsaved = self._servers.repoint(self._old, self._master, cut=True)
                break
            except CONNECTION_ERRORS as error:
                if time.monotonic() > deadline:
                    self._problems.append(
                        f"{self._old} could not be made a replica ({describe_error(error)}); it takes no writes: start"
                        f" it again as a replica of {self._master}"
                    )
                    return False
                time.sleep(PAUSE)
        self._problems += [unsaved] if unsaved else []
        self._note(f"{self._old} follows {self._master}")
        return True

    def _unfence(self) -> None:
        """Take the fence from the old master, which is a replica now and refuses writes as one."""
        try:
            if self._servers.follows(self._old) != self._master:
                self._problems.append(f"{self._old} does not follow {self._master}; it keeps refusing writes")
                return
            for directive, value in self._before.items():
                self._servers.set(self._old, directive, value)
            self._servers.rewrite(self._old)
        except CONNECTION_ERRORS as error:
            self._problems.append(
                f"{self._old} keeps {MIN_REPLICAS} {FENCE}: {describe_error(error)}; run again to put it right"
            )
