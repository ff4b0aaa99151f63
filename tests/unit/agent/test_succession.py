"""Who follows on a master that has ended or is stopped: who is fit, and what leaves it to Sentinel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance, MemberView, SentinelView, ServiceAccess, ServiceView
from redis_fleet.agent.replication.fitness import LAG
from redis_fleet.agent.replication.succession import RECENT, of_crashed, of_stopping, replacement

A, B, C = "orders@red1", "orders@red2", "orders@red3"
PLACES = {A: "10.0.0.1:6379", B: "10.0.0.2:6379", C: "10.0.0.3:6379"}
TARGET = ServiceAccess(
    "orders",
    monitor="orders",
    members=tuple(Instance(name, name[-4:], Endpoint.parse(place)) for name, place in PLACES.items()),
    sentinels=tuple(Instance(f"sentinel@red{n}", f"red{n}", Endpoint(f"10.0.0.{n}", 26379)) for n in (1, 2, 3)),
)
DEAD = MemberView(A, problem="nothing listens there")


def replica(name: str, **given: object) -> MemberView:
    """Return a replica that has just lost its master."""
    usual = MemberView(name, role="replica", follows=PLACES[A], offset=1000, priority=100, unlinked=0)
    return replace(usual, **given)  # type: ignore[arg-type]


def sentinel(number: int, master: str = A, **given: object) -> SentinelView:
    """Return what a Sentinel says that finds nothing amiss."""
    usual = SentinelView(f"sentinel@red{number}", master=PLACES[master], flags=("master",), quorum_ok=True)
    return replace(usual, **given)  # type: ignore[arg-type]


ALL = (sentinel(1), sentinel(2), sentinel(3))
SILENT = SentinelView("sentinel@red3", problem="no answer in time")


def seen(*members: MemberView, sentinels: tuple[SentinelView, ...] = ALL) -> ServiceView:
    """Return a view."""
    return ServiceView(0.0, sentinels, members)


def heirs(*members: MemberView, sentinels: tuple[SentinelView, ...] = ALL) -> tuple[str, ...]:
    """Return who may follow on the first member, whose process has ended."""
    return of_crashed(TARGET, seen(DEAD, *members, sentinels=sentinels), A).heirs


def doubt(*members: MemberView, sentinels: tuple[SentinelView, ...] = ALL) -> str:
    """Return why nobody may."""
    found = of_crashed(TARGET, seen(*members, sentinels=sentinels), A)
    assert found.heirs == ()
    return found.doubt


def test_the_newest_data_comes_first_then_the_lower_priority() -> None:
    assert heirs(replica(B, offset=1000), replica(C, offset=1001)) == (C, B)
    assert heirs(replica(B, priority=100), replica(C, priority=10)) == (C, B)


def test_a_minority_of_sentinels_may_be_silent() -> None:
    assert heirs(replica(B), sentinels=(sentinel(1), sentinel(2), SILENT)) == (B,)


def test_who_lacks_too_much_is_left_out() -> None:
    assert heirs(replica(B, offset=2 * LAG), replica(C, offset=LAG - 1)) == (B,)


@pytest.mark.parametrize(
    "unfit",
    [
        {"priority": 0},
        {"loading": True},
        {"unlinked": -1},
        {"unlinked": RECENT + 1},
        {"follows": PLACES[C]},
        {"problem": "no answer in time"},
    ],
)
def test_who_is_not_fit_is_left_out(unfit: dict[str, object]) -> None:
    assert heirs(replica(B, **unfit), replica(C)) == (C,)
    assert doubt(DEAD, replica(B, **unfit))


def test_a_link_that_is_still_up_is_waited_for() -> None:
    found = of_crashed(TARGET, seen(DEAD, replica(B), replica(C, link_up=True, unlinked=-1)), A)
    assert (found.heirs, found.wait) == ((), True)


@pytest.mark.parametrize(
    ("sentinels", "said"),
    [
        ((sentinel(1), SILENT, replace(SILENT, id="sentinel@red2")), "no majority"),
        ((sentinel(1), sentinel(2), sentinel(3, B)), "do not agree"),
        ((sentinel(1, B), sentinel(2, B), sentinel(3, B)), f"the master is {B}"),
        ((sentinel(1), sentinel(2, flags=("master", "failover_in_progress")), sentinel(3)), "under way"),
        ((SILENT,) * 3, "no majority"),
    ],
)
def test_in_doubt_it_is_left_to_the_sentinels(sentinels: tuple[SentinelView, ...], said: str) -> None:
    assert said in doubt(DEAD, replica(B), replica(C), sentinels=sentinels)


def test_a_master_that_lives_is_not_replaced() -> None:
    assert doubt(MemberView(A, role="master"), replica(B)) == f"{A} answers"
    assert doubt(replica(B)) == f"{A} answers"
    assert f"{C} is a master already" in doubt(DEAD, replica(B), replica(C, role="master", follows=""))


def test_who_has_less_than_a_sentinel_read_before_was_out_of_step() -> None:
    before = (sentinel(1, offsets={PLACES[C]: 1001}), *ALL[1:])
    assert "up to 1000, others had it up to 1001" in doubt(DEAD, replica(B, offset=1000), sentinels=before)
    assert heirs(replica(B, offset=1001), sentinels=before) == (B,)


def test_one_that_must_not_be_promoted_shows_what_the_others_lack() -> None:
    assert doubt(DEAD, replica(B, offset=1000), replica(C, offset=1001 + LAG, priority=0))


def test_a_majority_that_names_another_one_is_believed() -> None:
    assert replacement(TARGET, seen(sentinels=(sentinel(1, B), sentinel(2, B), sentinel(3))), A) == B
    assert replacement(TARGET, seen(sentinels=(sentinel(1, B), sentinel(2), sentinel(3))), A) == ""
    assert replacement(TARGET, seen(sentinels=(sentinel(1, B), SILENT, SILENT)), A) == ""
    strange = tuple(replace(each, master="10.9.9.9:6379") for each in ALL)
    assert replacement(TARGET, seen(sentinels=strange), A) == ""


def test_who_may_take_over_from_one_that_is_stopped() -> None:
    master = MemberView(A, role="master", offset=1000, priority=100)
    linked = {"link_up": True, "unlinked": -1}
    fit = (replica(B, **linked), replica(C, offset=1001, **linked))
    assert of_stopping(TARGET, seen(master, *fit), A).heirs == (C, B)
    assert of_stopping(TARGET, seen(master, replica(B)), A).doubt == "no replica is fit to take over"
    uneasy = (sentinel(1), sentinel(2), sentinel(3, flags=("master", "s_down")))
    assert of_stopping(TARGET, seen(master, *fit, sentinels=uneasy), A).heirs == ()
    assert of_stopping(TARGET, seen(master, *fit), B).doubt == f"the master is {A}"
