"""Stand for election among the Sentinels of a service, and tell them who is the master.

A master changes hands in some milliseconds: no Sentinel has to find anything down, or to learn of a role by asking
every 1 s or 10 s. All connections are made, and all rights are tried, before anything is asked for.

A vote that comes to nothing would keep Sentinels from a failover of their own for twice the failover-timeout, as they
note when they voted (measured, 7.0.15: 120 s at 60 s). So that is short during the election (``SHORT``); a run that is
killed in between leaves the short one, which the next run finds and puts right.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Optional, TypeVar

from .. import engine_words
from ..endpoint import Endpoint, place_of
from ..messages.service import Instance, ServiceAccess
from ..protocol.resp import Connection, Reply, ReplyError, pairs
from . import ballot
from .ballot import Vote
from .view import CONNECTION_ERRORS, connect, describe_error, map_parallel
from .voter import TIMEOUT, NotElectedError, Voter, met, see_that_it_agrees

SHORT, DESYNC = 1000, 1000
"""Milliseconds; the second is what a Sentinel adds at most to the time of a vote (SENTINEL_MAX_DESYNC)."""
ROUNDS = 5
ANNOUNCING, FORGETTING = 5.0, 20.0
"""Seconds; a Sentinel that forgot a service finds its replicas within 10 s and the other Sentinels within 2 s."""
PAUSE = 0.01
T = TypeVar("T")


class Election:
    """One election for the succession of a master (id); ``note`` takes what happens, in words.

    ``timeout`` (seconds) bounds each connection and each reply. With ``lost`` the master is no more: Sentinels are then
    about to fail over themselves, and votes that came to nothing must keep them from it no longer than down-after.
    """

    def __init__(
        self,
        target: ServiceAccess,
        old: str,
        note: Callable[[str], None],
        *,
        timeout: float = 2.0,
        lost: bool = False,
    ) -> None:
        """Prepare nothing yet."""
        self._target, self._old, self._note = target, old, note
        self._timeout, self._lost = timeout, lost
        self._brief = max(SHORT, (target.down_after_ms - DESYNC) // 2) if lost else SHORT
        self._place = next(each.announced for each in target.members if each.id == old)
        self._candidate = os.urandom(20).hex()
        self._voters: list[Voter] = []
        self._short: list[Voter] = []
        self._won = 0
        self._announced = False

    def prepare(self) -> None:
        """Connect to every Sentinel and see that it may be asked; raises NotElectedError where it cannot be won."""
        answers = map_parallel(self._approach, self._target.sentinels)
        self._voters = [each for each in answers if isinstance(each, Voter)]
        self._needed = self._votes_needed()
        if len(self._voters) < self._needed:
            silent = "; ".join(each for each in answers if isinstance(each, str))
            raise NotElectedError(f"{len(self._voters)} Sentinels can be asked, {self._needed} are needed: {silent}")
        self._see_that_nobody_is_at_it()

    def _see_that_nobody_is_at_it(self) -> None:
        """Somebody who was voted for and cannot be asked may promote another one right now.

        A candidate that is no Sentinel was one of ours. While the old master lives, nobody but who hands over from it
        stands, and that one is dead by now.
        """
        known = {(each.address, each.port): each.runid for voter in self._voters for each in voter.known}
        asked = {known.get((place.address, place.port), "") for place in (v.instance.announced for v in self._voters)}
        votes = [each.last for each in self._voters]
        rivals = ballot.unfinished(votes, max(each.finished for each in self._voters)) - asked
        if not self._lost:
            rivals &= set(known.values())
        if rivals:
            raise NotElectedError("a Sentinel that cannot be asked, or another run, was elected and may be at it still")

    def _votes_needed(self) -> int:
        """A majority of all that there are, the undescribed ones too that a Sentinel remembers."""
        everyone = max([len(self._target.sentinels), *(each.peers + 1 for each in self._voters)])
        return ballot.needed(everyone, self._target.quorum)

    def _approach(self, node: Instance) -> Voter | str:
        connection: Optional[Connection] = None
        try:
            connection = connect(self._target, node, self._timeout)
            return met(self._target, self._old, node, connection, ballot.last_vote(self._place, self._candidate))
        except (NotElectedError, *CONNECTION_ERRORS) as error:
            if connection:
                connection.close()
            return f"{node.id}: {error if isinstance(error, NotElectedError) else describe_error(error)}"

    def shorten(self) -> None:
        """Let a vote that comes to nothing keep no Sentinel from a failover for long; raises NotElectedError."""
        self._short = list(self._voters)
        refused = self._set_timeouts(lambda _: str(self._brief))
        if refused:
            raise NotElectedError("; ".join(refused))

    def win(self) -> None:
        """Ask all for their votes at once; raises NotElectedError where no epoch was won."""
        epoch = max(each.epoch for each in self._voters) + 1
        for tries in range(1, ROUNDS + 1):
            votes = self._ask(epoch)
            count = ballot.won(votes, self._candidate, epoch)
            if count >= self._needed:
                self._won = epoch
                self._note(f"{count} of {len(self._target.sentinels)} Sentinels voted for epoch {epoch}")
                return
            epoch = ballot.next_epoch(votes, epoch, tries)
        raise NotElectedError(f"the Sentinels did not vote for it: {count} of {self._needed} votes")

    def _ask(self, epoch: int) -> list[Vote]:
        """Ask each for its last vote and then for a new one; raises NotElectedError where somebody else stands too."""
        answers = map_parallel(lambda voter: _tried(lambda: self._vote(voter, epoch)), self._voters)
        for voter, answer in zip(self._voters, answers):
            if isinstance(answer, NotElectedError):
                raise NotElectedError(f"{voter.instance.id}: {answer}")
        return [each for each in answers if isinstance(each, Vote)]

    def _vote(self, voter: Voter, epoch: int) -> Vote:
        before, asked, flags = voter.connection.pipeline(
            [
                ballot.last_vote(self._place, self._candidate),
                ballot.question(self._place, epoch, self._candidate),
                ("SENTINEL", "MASTER", self._target.monitor),
            ]
        )
        if any(isinstance(each, ReplyError) for each in (before, asked, flags)):
            return Vote("", 0)
        given = ballot.vote(asked)
        voter.voted |= given.leader == self._candidate
        see_that_it_agrees(self._target, self._old, pairs(flags))
        if any(each != voter.last and each.leader != self._candidate for each in (ballot.vote(before), given)):
            raise NotElectedError("somebody else stands for election")
        return given

    def announce(self, master: str, place: Endpoint, is_one: Callable[[], bool]) -> list[str]:
        """Tell all Sentinels that a member (id) is the master of the epoch that was won.

        Returns what did not succeed, each a sentence. One that was not reached learns of it from the others; while none
        was, it is tried again, as long as the member still is one (``is_one``): a Sentinel that has not heard of it
        makes it a replica of the old master after some seconds (sentinelRefreshInstanceInfo, ``+convert-to-slave``).
        """
        deadline = time.monotonic() + ANNOUNCING
        while True:
            answers = map_parallel(lambda voter: _tried(lambda: self._tell(voter, place)), self._voters)
            told = [voter for voter, answer in zip(self._voters, answers) if answer == str(place)]
            if told:
                self._announced = True
                self._note(f"{len(told)} of {len(self._target.sentinels)} Sentinels were told that it is {master}")
                return []
            if time.monotonic() > deadline:
                return [f"no Sentinel could be told that {master} is the master: {'; '.join(map(str, answers))}"]
            time.sleep(PAUSE)
            self._reconnect()
            if _tried(is_one) is False:
                return [
                    f"{master} was made a replica again before a Sentinel could be told: {'; '.join(map(str, answers))}"
                ]

    def _tell(self, voter: Voter, place: Endpoint) -> str:
        told, named = voter.connection.pipeline(
            [
                ballot.announcement(voter.known[0], self._won, str(self._target.monitor), place),
                ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._target.monitor),
            ]
        )
        return str(told) if isinstance(told, ReplyError) or not isinstance(named, list) else place_of(*named[:2])

    def _reconnect(self) -> None:
        for voter in self._voters:
            voter.connection.close()
            connection = _tried(lambda: connect(self._target, voter.instance, self._timeout))  # noqa: B023
            voter.connection = connection if isinstance(connection, Connection) else voter.connection

    def close(self) -> list[str]:
        """Put everything back, and return what did not succeed, each a sentence; safe after whatever happened."""
        spent = not self._announced and any(each.voted for each in self._voters)
        problems = self._leave_brief() if spent and self._lost else self._end(spent)
        for voter in self._voters:
            voter.connection.close()
        return problems

    def _leave_brief(self) -> list[str]:
        """A Sentinel that forgets its vote forgets the replicas too, and finds none without their master."""
        usual = ", ".join(sorted({self._usual(each) for each in self._voters}))
        remedy = f"the next deployment puts it back to {usual}"
        return [f"{TIMEOUT} stays at {self._brief}, so that the votes keep no Sentinel from failing over; {remedy}"]

    def _end(self, spent: bool) -> list[str]:
        problems = self._forget_votes() if spent else []
        return problems + self._set_timeouts(self._usual)

    def _usual(self, voter: Voter) -> str:
        """A brief one was left by a run that was killed."""
        described = self._target.failover_timeout_ms
        return str(described) if described and voter.timeout in (str(SHORT), str(self._brief)) else voter.timeout

    def _set_timeouts(self, value: Callable[[Voter], str]) -> list[str]:
        def tell(voter: Voter) -> Reply:
            return voter.connection.call("SENTINEL", "SET", self._target.monitor, TIMEOUT, value(voter))

        answers = map_parallel(lambda voter: _tried(lambda: tell(voter)), self._short)
        failed = [(voter, each) for voter, each in zip(self._short, answers) if isinstance(each, Exception)]
        return [
            f"{voter.instance.id} did not take {TIMEOUT} {value(voter)}: {describe_error(error)}"
            for voter, error in failed
        ]

    def _forget_votes(self) -> list[str]:
        """Let Sentinels forget one after the other that they voted, so that the next failover comes as fast as ever.

        Only SENTINEL RESET does that; meanwhile a Sentinel takes part in no failover, so the next one has to wait until
        it knows everybody again.
        """
        problems = []
        for voter in self._voters:
            if voter.voted:
                problem = _tried(lambda: self._forget(voter))  # noqa: B023
                problems += [f"{voter.instance.id}: {describe_error(problem)}"] if problem else []
        return problems

    def _forget(self, voter: Voter) -> None:
        monitor = self._target.monitor
        voter.connection.call("SENTINEL", "RESET", monitor)
        deadline = time.monotonic() + FORGETTING
        while time.monotonic() < deadline:
            seen = pairs(voter.connection.call("SENTINEL", "MASTER", monitor))
            known = engine_words.value(seen, "num-slaves")
            if int(known or 0) >= voter.replicas and int(seen["num-other-sentinels"]) >= voter.peers:
                return
            time.sleep(PAUSE * 10)
        raise TimeoutError(f"it has not found all replicas and Sentinels again {FORGETTING:.0f} s after its reset")


def why_not(target: ServiceAccess, old: str) -> str:
    """Return why no election for the succession of a master (id) could be won now; empty where it could."""
    election = Election(target, old, lambda _: None)
    try:
        election.prepare()
    except NotElectedError as error:
        return str(error)
    finally:
        election.close()
    return ""


def _tried(action: Callable[[], T]) -> T | Exception:
    """Return a result, or the error that stands in its place."""
    try:
        return action()
    except (NotElectedError, *CONNECTION_ERRORS) as error:
        return error
