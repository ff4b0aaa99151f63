"""Who may take over: findings with codes and numbers, and one place where they become sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance, MemberView, SentinelView, ServiceAccess, ServiceView
from redis_fleet.agent.replication.findings import Code, Finding, sentence
from redis_fleet.agent.replication.fitness import LAG, SILENCE, unaware, unfit, unpromotable, unready
from redis_fleet.operations.failover_fitness import hindrances

OLD, NEW = "orders@red1", "orders@red2"
MEMBERS = tuple(Instance(f"orders@red{n}", f"red{n}", Endpoint(f"10.0.0.{n}", 6379)) for n in (1, 2))
PLACE, OTHER = (str(each.endpoint) for each in MEMBERS)
WATCHERS = tuple(Instance(f"s{n}", f"red{n}", Endpoint(f"10.0.0.{n}", 26379)) for n in (1, 2, 3))
AIM = ServiceAccess("orders", "orders", members=MEMBERS, sentinels=WATCHERS)
MASTER = MemberView(OLD, role="master", offset=2 * LAG, priority=100)
REPLICA = MemberView(NEW, role="replica", follows=PLACE, link_up=True, offset=2 * LAG, priority=100)
SENTINEL = SentinelView("s1", master=PLACE, flags=("master",), quorum_ok=True, priorities={OTHER: 100})


def seen(*members: MemberView, sentinel: SentinelView = SENTINEL) -> ServiceView:
    """Return a view of these members, with three Sentinels that all say the same."""
    return ServiceView(0.0, tuple(replace(sentinel, id=f"s{n}") for n in (1, 2, 3)), members)


@pytest.mark.parametrize(
    ("master", "replica", "found"),
    [
        (MASTER, REPLICA, []),
        (MASTER, replace(REPLICA, id="x@y"), [Finding(Code.NO_MEMBER, NEW, "orders")]),
        (replace(MASTER, id="x@y"), REPLICA, [Finding(Code.MASTER_UNKNOWN, OLD, "orders")]),
        (replace(MASTER, problem="down"), REPLICA, [Finding(Code.MASTER_SILENT, OLD, said="down")]),
        (replace(MASTER, role="replica"), REPLICA, [Finding(Code.MASTER_IS_NONE, OLD, said="replica")]),
        (MASTER, replace(REPLICA, problem="down"), [Finding(Code.SILENT, NEW, said="down")]),
        (MASTER, replace(REPLICA, role="master"), [Finding(Code.A_MASTER_ITSELF, NEW, OLD)]),
        (MASTER, replace(REPLICA, follows="10.0.0.9:1"), [Finding(Code.FOLLOWS_ANOTHER, NEW, OLD, "10.0.0.9:1")]),
        (MASTER, replace(REPLICA, loading=True, link_up=False), [Finding(Code.LOADING, NEW)]),
        (MASTER, replace(REPLICA, link_up=False), [Finding(Code.NOT_LINKED, NEW, OLD)]),
        (
            MASTER,
            replace(REPLICA, offset=LAG - 1, priority=0),
            [Finding(Code.BEHIND, NEW, OLD, number=LAG + 1, limit=LAG), Finding(Code.NEVER_PROMOTED, NEW)],
        ),
        (
            replace(MASTER, heard={OTHER: SILENCE + 1}),
            REPLICA,
            [Finding(Code.NOT_HEARD, NEW, OLD, number=SILENCE + 1, limit=SILENCE)],
        ),
    ],
)
def test_what_keeps_a_replica_from_taking_over_has_a_code(
    master: MemberView, replica: MemberView, found: list[Finding]
) -> None:
    assert unfit(AIM, seen(master, replica), OLD, NEW) == found


@pytest.mark.parametrize(
    ("sentinel", "code", "drilled"),
    [
        (SENTINEL, None, None),
        (replace(SENTINEL, problem="down"), Code.TOO_FEW_SENTINELS, Code.NO_MAJORITY),
        (replace(SENTINEL, master=OTHER), Code.NAMES_ANOTHER, Code.NAMED_IS_NONE),
        (replace(SENTINEL, flags=("master", "o_down")), Code.HOLDS_FOR, Code.HOLDS_FOR_DOWN),
        (replace(SENTINEL, flags=("master", "failover_in_progress")), Code.HOLDS_FOR, Code.FAILING_OVER),
        (replace(SENTINEL, quorum_ok=False), Code.NO_QUORUM, Code.NO_QUORUM),
    ],
)
def test_what_keeps_sentinels_from_a_failover_has_a_code(
    sentinel: SentinelView, code: Code | None, drilled: Code | None
) -> None:
    view = seen(MASTER, REPLICA, sentinel=sentinel)
    assert {each.code for each in unready(AIM, view, OLD)} == {code} - {None}
    assert {each.code for each in hindrances(AIM, view)} == {drilled} - {None}


def test_a_drill_needs_a_replica_that_may_be_promoted() -> None:
    view = seen(MASTER, replace(REPLICA, priority=0))
    assert hindrances(AIM, view) == [Finding(Code.NO_SUCCESSOR, OLD)]
    assert [each.code for each in hindrances(replace(AIM, monitor=None), view)] == [Code.UNWATCHED]


def test_a_sentinel_that_prefers_another_is_named() -> None:
    assert unaware(AIM, seen(MASTER, REPLICA), NEW) == []
    view = seen(MASTER, REPLICA, sentinel=replace(SENTINEL, priorities={OTHER: 100, "10.0.0.3:6379": 100}))
    assert unaware(AIM, view, NEW)[0] == Finding(Code.NOT_PREFERRED, "s1", NEW, "100")


def test_who_is_promoted_by_hand_need_not_be_linked() -> None:
    assert unpromotable(replace(REPLICA, link_up=False)) == []
    assert [each.code for each in unpromotable(replace(REPLICA, loading=True, priority=0))] == [
        Code.NEVER_PROMOTED,
        Code.LOADING,
    ]


@pytest.mark.parametrize("code", Code, ids=lambda each: each.value)
def test_each_finding_has_a_sentence_with_all_that_it_says(code: Code) -> None:
    said = sentence(Finding(code, "SUBJECT", "OTHER", "{SAID}", 1234, 5678))
    assert said
    assert any(word in said for word in ("SUBJECT", "OTHER", "{SAID}", "1,234", "1234"))
