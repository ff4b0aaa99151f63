"""Who the master is, by what Sentinels and members say: one count for the planner, the switchover and the drills."""

from __future__ import annotations

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance, MemberView, SentinelView, ServiceAccess, ServiceView
from redis_fleet.agent.replication import agreement
from redis_fleet.agent.replication.agreement import Vote, acting, count, majority, master_of

ONE, TWO = "10.0.0.1:6379", "10.0.0.2:6379"


def votes(*places: str, busy: str = "") -> list[Vote]:
    """Return one vote for each place, in order; ``busy`` is who says that a failover is under way."""
    calm, moving = frozenset({"master"}), frozenset({"master", "failover_in_progress"})
    return [Vote(f"s{n}", place, moving if busy == f"s{n}" else calm) for n, place in enumerate(places, 1)]


@pytest.mark.parametrize(("everyone", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_majority_is_more_than_half(everyone: int, needed: int) -> None:
    assert majority(everyone) == needed


@pytest.mark.parametrize(
    ("cast", "answering", "everyone", "code", "master", "unanimous"),
    [
        (votes(ONE, ONE, ONE), 3, 3, agreement.AGREED, ONE, ONE),
        (votes(ONE, ONE), 2, 3, agreement.AGREED, ONE, ONE),
        (votes(ONE), 1, 3, agreement.TOO_FEW, "", ONE),
        (votes(ONE, ONE), 2, 4, agreement.TOO_FEW, "", ONE),
        (votes(), 2, 3, agreement.NOBODY, "", ""),
        (votes(ONE), 2, 3, agreement.AGREED, "", ONE),
        (votes(ONE, TWO, ONE), 3, 3, agreement.DIVIDED, ONE, ""),
        (votes(ONE, TWO), 2, 2, agreement.DIVIDED, "", ""),
        (votes(ONE, TWO, ONE, busy="s2"), 3, 3, agreement.FAILING_OVER, ONE, ""),
    ],
)
def test_votes_are_counted_against_all_sentinels(
    cast: list[Vote], answering: int, everyone: int, code: str, master: str, unanimous: str
) -> None:
    verdict = count(cast, answering, everyone)
    assert (verdict.code, verdict.master, verdict.unanimous) == (code, master, unanimous)


def test_the_verdict_says_who_said_what() -> None:
    verdict = count(votes(ONE, TWO, ONE, busy="s2"), 3, 3)
    assert verdict.named == {ONE: ("s1", "s3"), TWO: ("s2",)}
    assert verdict.failing_over == ("s2",)


def test_without_sentinels_the_only_one_that_says_so_is_the_master() -> None:
    first, second = (Instance(f"orders@red{n}", f"red{n}", Endpoint(f"10.0.0.{n}", 6379)) for n in (1, 2))
    aim = ServiceAccess("orders", members=(first, second))
    down = MemberView(second.id, problem="down", role="master")
    lone = ServiceView(0.0, members=(MemberView(first.id, role="master"), down))
    two = ServiceView(0.0, members=(MemberView(first.id, role="master"), MemberView(second.id, role="master")))
    assert (acting(lone.members), master_of(aim, lone)) == ([first.id], first.id)
    assert (acting(two.members), master_of(aim, two)) == ([first.id, second.id], "")
    watched = ServiceAccess("orders", "orders", members=(first, second))
    said = (SentinelView("s1", master=TWO), SentinelView("s2", problem="down"), SentinelView("s3", master=TWO))
    assert master_of(watched, ServiceView(0.0, sentinels=said, members=two.members)) == second.id
