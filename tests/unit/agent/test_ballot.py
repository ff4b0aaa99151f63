"""Votes, epochs and announcements: in examples, and with Sentinels that fail over at the same time, in any order."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.replication.ballot import (
    HELLO,
    KnownSentinel,
    Vote,
    announcement,
    needed,
    next_epoch,
    question,
    unfinished,
    vote,
    won,
)

OURS = "a" * 40
PLACE = Endpoint("10.0.0.11", 6379)


def test_what_is_asked_and_what_is_said() -> None:
    assert question(PLACE, 7, OURS) == ("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "10.0.0.11", 6379, 7, OURS)
    assert announcement(KnownSentinel("10.0.0.12", 26379, "b" * 40), 7, "orders", PLACE) == (
        "PUBLISH",
        HELLO,
        f"10.0.0.12,26379,{'b' * 40},7,orders,10.0.0.11,6379,7",
    )


def test_a_vote_is_read() -> None:
    assert vote([0, OURS, 7]) == Vote(OURS, 7)
    assert vote([1, "*", 0]) == Vote("", 0)
    for wrong in ("OK", None, [], [0, OURS]):
        with pytest.raises(ValueError, match="not a vote"):
            vote(wrong)


@pytest.mark.parametrize(
    ("sentinels", "quorum", "votes"), [(1, 1, 1), (2, 1, 2), (3, 2, 2), (3, 3, 3), (4, 2, 3), (5, 2, 3), (5, 4, 4)]
)
def test_how_many_votes_win(sentinels: int, quorum: int, votes: int) -> None:
    assert needed(sentinels, quorum) == votes


def test_only_votes_for_the_candidate_in_the_epoch_count() -> None:
    votes = [Vote(OURS, 7), Vote(OURS, 6), Vote("b" * 40, 7), Vote("", 0)]
    assert won(votes, OURS, 7) == 1
    assert next_epoch(votes, 7, 1) == 8
    assert next_epoch([Vote("b" * 40, 11)], 7, 1) == 12
    assert [next_epoch([], 7, tries) for tries in (1, 2, 3)] == [8, 17, 107]


def test_who_was_elected_and_has_named_nobody_may_be_at_it_still() -> None:
    votes = [Vote(OURS, 7), Vote("b" * 40, 8), Vote("", 9)]
    assert unfinished(votes, 6) == {OURS, "b" * 40}
    assert unfinished(votes, 7) == {"b" * 40}
    assert unfinished(votes, 8) == set()


@dataclass
class Sentinel:
    """What sentinel.c keeps of one service, as far as elections go."""

    runid: str
    current_epoch: int = 0
    leader: str = ""
    leader_epoch: int = 0
    config_epoch: int = 0
    master: str = "A"

    def vote(self, epoch: int, candidate: str) -> Vote:
        """Answer as sentinelVoteLeader does."""
        self.current_epoch = max(self.current_epoch, epoch)
        if self.leader_epoch < epoch and self.current_epoch <= epoch:
            self.leader, self.leader_epoch = candidate, epoch
        return Vote(self.leader, self.leader_epoch)

    def hear(self, epoch: int, master: str, config_epoch: int) -> None:
        """Take a hello message as sentinelProcessHelloMessage does."""
        self.current_epoch = max(self.current_epoch, epoch)
        if self.config_epoch < config_epoch:
            self.config_epoch, self.master = config_epoch, master


@dataclass
class Candidate:
    """One that stands for election: ours, or a Sentinel with its own failover (``sentinel``)."""

    runid: str
    epoch: int
    to: str
    sentinel: Sentinel | None = None
    answers: dict[str, Vote] = field(default_factory=dict)
    promoted: bool = False

    @property
    def votes(self) -> list[Vote]:
        """What it has heard."""
        return list(self.answers.values())


class Elections(RuleBasedStateMachine):
    """Candidates ask, promote and announce in any order; messages are late or never come."""

    @initialize(count=st.sampled_from([3, 4, 5]))
    def begin(self, count: int) -> None:
        self.sentinels = [Sentinel(f"{number:040x}") for number in range(count)]
        self.candidates: list[Candidate] = []
        self.promoted: dict[int, list[str]] = {}
        self.needed = needed(count, 2)

    @rule(
        at=st.integers(0, 4),
        to=st.sampled_from("BC"),
        ours=st.booleans(),
    )
    def stand(self, at: int, to: str, ours: bool) -> None:
        one = self.sentinels[at % len(self.sentinels)]
        if ours:
            self.candidates.append(Candidate(f"f{len(self.candidates):039x}", one.config_epoch + 1, to))
            return
        one.current_epoch += 1
        candidate = Candidate(one.runid, one.current_epoch, to, one)
        candidate.answers[one.runid] = one.vote(candidate.epoch, one.runid)
        self.candidates.append(candidate)

    @precondition(lambda self: self.candidates)
    @rule(who=st.integers(0, 9), whom=st.sets(st.integers(0, 4), min_size=2))
    def ask(self, who: int, whom: set[int]) -> None:
        one = self._candidate(who)
        for number in sorted(whom):
            sentinel = self.sentinels[number % len(self.sentinels)]
            one.answers[sentinel.runid] = sentinel.vote(one.epoch, one.runid)

    @precondition(lambda self: self.candidates)
    @rule(who=st.integers(0, 9))
    def ask_again_with_a_higher_epoch(self, who: int) -> None:
        one = self._candidate(who)
        if one.sentinel is None and not one.promoted:
            one.epoch, one.answers = next_epoch(one.votes, one.epoch, 1), {}

    @precondition(lambda self: self.candidates)
    @rule(who=st.integers(0, 9))
    def promote(self, who: int) -> None:
        one = self._candidate(who)
        if not one.promoted and won(one.votes, one.runid, one.epoch) >= self.needed:
            one.promoted = True
            self.promoted.setdefault(one.epoch, []).append(one.to)
            if one.sentinel:
                one.sentinel.hear(one.epoch, one.to, one.epoch)

    @precondition(lambda self: self.candidates)
    @rule(who=st.integers(0, 9), whom=st.integers(0, 4))
    def announce(self, who: int, whom: int) -> None:
        one, sentinel = self._candidate(who), self.sentinels[whom % len(self.sentinels)]
        if one.promoted and one.sentinel is None:
            said = announcement(KnownSentinel("s", 1, "r"), one.epoch, "m", Endpoint(one.to, 1))[2]
            _, _, _, epoch, _, master, _, config_epoch = str(said).split(",")
            sentinel.hear(int(epoch), master, int(config_epoch))

    @rule(who=st.integers(0, 4), whom=st.integers(0, 4))
    def gossip(self, who: int, whom: int) -> None:
        one = self.sentinels[who % len(self.sentinels)]
        self.sentinels[whom % len(self.sentinels)].hear(one.current_epoch, one.master, one.config_epoch)

    def _candidate(self, who: int) -> Candidate:
        return self.candidates[who % len(self.candidates)]

    @invariant()
    def an_epoch_has_one_master_at_most(self) -> None:
        assert all(len(each) == 1 for each in getattr(self, "promoted", {}).values())

    @invariant()
    def nobody_is_named_who_was_not_promoted_for_that_epoch(self) -> None:
        for one in getattr(self, "sentinels", []):
            assert one.config_epoch == 0 or [one.master] == self.promoted[one.config_epoch]

    @invariant()
    def sentinels_that_have_heard_of_each_other_agree(self) -> None:
        named: dict[int, set[str]] = {}
        for one in getattr(self, "sentinels", []):
            named.setdefault(one.config_epoch, set()).add(one.master)
        assert all(len(each) == 1 for each in named.values())


Elections.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
test_elections = Elections.TestCase
