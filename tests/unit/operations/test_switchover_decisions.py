"""The switchover's decisions: when it refuses, who takes over, what Sentinel still has to learn, who is promoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import MemberView, ServiceAccess, ServiceView
from redis_fleet.agent.replication.findings import sentences
from redis_fleet.agent.replication.fitness import LAG, SILENCE, unaware, unready
from redis_fleet.agent.replication.promotion import choose
from redis_fleet.agent.runs import manual_masters
from redis_fleet.operations.switchover_fitness import decide, disagreements, overtaken, silent
from tests.unit.operations.services import MASTER, REPLICA, member, node, sentinel, target, view

FIRST, SECOND, THIRD = "orders@red1", "orders@red2", "orders@red3"


def unwatched(**changes: Any) -> ServiceAccess:
    """Return the same without Sentinels."""
    return target(monitor=None, sentinels=(), **changes)


def down(number: int) -> MemberView:
    """Return what is seen of a server that is down."""
    return member(number, problem="refused", role="", follows="", link_up=False, offset=-1, priority=0)


@pytest.mark.parametrize("watched", [True, False])
def test_the_first_of_equal_replicas_takes_over(watched: bool) -> None:
    choice = decide(target(), view()) if watched else decide(unwatched(), view([]))

    assert (choice.old, choice.new, choice.why) == (FIRST, SECOND, ())
    assert not choice.nothing_to_do


@pytest.mark.parametrize(
    ("second", "third", "chosen"),
    [
        ({"offset": LAG * 2 - 5}, {}, THIRD),
        ({"offset": LAG * 2 - 5, "priority": 1}, {}, THIRD),
        ({}, {"priority": 50}, THIRD),
        ({"priority": 50}, {}, SECOND),
        ({"priority": 0}, {"offset": LAG}, THIRD),
        ({"link_up": False}, {}, THIRD),
        ({"problem": "no answer in time"}, {}, THIRD),
    ],
)
def test_newest_data_then_the_lower_priority_number_decides(
    second: dict[str, Any], third: dict[str, Any], chosen: str
) -> None:
    assert decide(target(), view(None, [member(1), member(2, **second), member(3, **third)])).new == chosen


@pytest.mark.parametrize("to", ["red3", "orders@red3"])
def test_a_machine_or_a_process_can_be_named(to: str) -> None:
    assert decide(target(), view(), to).new == THIRD


def test_the_master_as_the_wanted_one_is_nothing_to_do() -> None:
    assert decide(target(), view(), "red1").nothing_to_do


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (
            {"offset": LAG * 2 - LAG - 1},
            f"{LAG + 1:,} bytes behind orders@red1, more than {LAG:,}; wait until it has caught",
        ),
        ({"link_up": False}, "has no link to orders@red1 or is still synchronising; wait"),
        ({"loading": True, "link_up": False}, "still loading its data; wait"),
        ({"priority": 0}, "replica-priority 0); choose another"),
        ({"problem": "no answer in time"}, "does not answer: no answer in time; start it or repair"),
        ({"follows": "10.0.0.3:6379"}, "it follows orders@red3; make it one"),
        ({"role": "master", "follows": ""}, "it is a master itself; make it one"),
    ],
)
def test_a_replica_that_is_not_fit_is_refused_by_name(second: dict[str, Any], words: str) -> None:
    (why,) = decide(target(), view(None, [member(1), member(2, **second), member(3)]), "red2").why

    assert why.startswith("orders@red2")
    assert words in why


def test_a_replica_that_its_master_does_not_hear_is_refused() -> None:
    heard = {REPLICA: SILENCE + 1, "10.0.0.3:6379": SILENCE}
    (why,) = decide(target(), view(None, [member(1, heard=heard), member(2), member(3)]), "red2").why

    assert why == f"orders@red1 has not heard of orders@red2 for {SILENCE + 1} s; repair the way between them"
    assert decide(target(), view(None, [member(1, heard=heard), member(2), member(3)]), "red3").why == ()


def test_a_replica_that_lacks_no_more_than_the_bound_is_fit() -> None:
    assert decide(target(), view(None, [member(1), member(2, offset=LAG), member(3)]), "red2").why == ()


def test_all_reasons_are_told_when_no_replica_is_fit() -> None:
    seen = view(None, [member(1), member(2, link_up=False), member(3, priority=0, offset=0)])

    why = decide(target(), seen).why

    assert [SECOND in each for each in why] == [True, False, False]
    assert "bytes behind" in why[1]
    assert "replica-priority 0" in why[2]


@pytest.mark.parametrize(
    ("aim", "seen", "words"),
    [
        (target(), view([sentinel(1), sentinel(2, problem="x"), sentinel(3, problem="x")]), "no majority of the 3"),
        (target(), view([sentinel(1), sentinel(2, master=REPLICA), sentinel(3, problem="x")]), "do not agree"),
        (
            target(),
            view(
                [
                    sentinel(
                        i,
                        flags=(
                            "master",
                            "failover_in_progress",
                        ),
                    )
                    for i in (1, 2, 3)
                ]
            ),
            "in progress",
        ),
        (target(), view([sentinel(i, flags=("s_down",)) for i in (1, 2, 3)]), "holds the master for down"),
        (target(), view([sentinel(1), sentinel(2), sentinel(3, quorum_ok=False, quorum="NOQUORUM")]), "NOQUORUM"),
        (target(), view(None, [down(1), member(2), member(3)]), "is named as the master but is none: refused"),
        (unwatched(), view([], [down(1), member(2), member(3)]), "no process of orders answers as the master"),
        (unwatched(), view([], [member(1), member(2, role="master"), member(3)]), "are both masters"),
        (target(external_master=Endpoint("10.9.9.9", 1)), view(), "outside this deployment"),
        (target(members=(node("orders", 1, 6379),)), view(None, [member(1)]), "has no replica"),
    ],
)
def test_a_service_that_is_not_fit_is_refused_with_a_remedy(aim: ServiceAccess, seen: ServiceView, words: str) -> None:
    why = decide(aim, seen).why

    assert words in why[0]
    assert all("; " in sentence for sentence in why)


def test_an_unknown_machine_is_refused_with_those_there_are() -> None:
    (why,) = decide(target(), view(), "red9").why

    assert "'red9'" in why
    assert "red2 (orders@red2)" in why


def test_what_the_sentinels_still_have_to_learn() -> None:
    knows = {REPLICA: 1, "10.0.0.3:6379": 100}
    seen = view(
        [sentinel(1, priorities=knows), sentinel(2), sentinel(3, problem="down", priorities={})],
    )

    assert sentences(unaware(target(), seen, SECOND)) == [
        "sentinel@red2 does not prefer orders@red2 yet (priority 100)"
    ]
    assert unaware(target(), view([sentinel(1, priorities={REPLICA: 100, "10.0.0.3:6379": 0})]), SECOND) == []
    assert unaware(target(), view([sentinel(1, priorities={"10.0.0.3:6379": 0})]), SECOND)


def test_the_sentinels_are_asked_again_on_the_machine() -> None:
    assert unready(target(), view(), FIRST) == []
    assert "no majority" in sentences(unready(target(), view([sentinel(1)]), FIRST))[0]
    busy = [sentinel(1), sentinel(2, flags=("failover_in_progress",)), sentinel(3, master=REPLICA)]
    assert len(unready(target(), view(busy), FIRST)) == 2


def test_it_is_over_when_everybody_that_answered_before_follows() -> None:
    led = [
        sentinel(1),
        sentinel(
            2,
            flags=(
                "master",
                "failover_in_progress",
            ),
        ),
        sentinel(3),
    ]
    two = [member(1), member(2), down(3)]

    assert disagreements(target(), view(None, two), FIRST, [THIRD]) == []
    assert disagreements(target(), view(None, two), FIRST, []) == [f"{THIRD} is not a linked replica of {FIRST}"]
    assert disagreements(target(), view(led), FIRST, []) == ["a Sentinel still leads the failover"]


def test_a_sentinel_that_did_not_answer_before_is_not_waited_for() -> None:
    mute = sentinel(3, problem="timed out", master="")
    seen = view([sentinel(1), sentinel(2), mute], [member(1), member(2), down(3)])

    assert silent(seen) == [THIRD, mute.id]
    assert disagreements(target(), seen, FIRST, silent(seen)) == []
    assert disagreements(target(), seen, FIRST, [THIRD]) != []


def test_the_sentinels_may_have_failed_over_behind_it() -> None:
    """To the third server, as the new master was lost at once; back to the old one only where that was no failover."""
    named = [sentinel(1), sentinel(2), sentinel(3, problem="timed out", master="")]
    seen = view(named, [member(1), member(2), down(3)])

    assert overtaken(target(), seen, SECOND, THIRD, elected=False).startswith(f"{FIRST} is the master by now")
    assert overtaken(target(), seen, FIRST, THIRD, elected=True).startswith(f"{FIRST} is the master by now")
    assert overtaken(target(), seen, FIRST, THIRD, elected=False) == "", "they may still have to learn of the new one"
    assert overtaken(target(), seen, SECOND, FIRST, elected=True) == "", "that is the new one"
    mute = [sentinel(1), *(sentinel(each, problem="timed out", master="") for each in (2, 3))]
    assert overtaken(target(), view(mute, [member(1)]), SECOND, THIRD, elected=True) == "", "no majority"
    assert overtaken(target(monitor=None, sentinels=()), seen, SECOND, THIRD, elected=False) == ""
    replica = view(named, [member(1, role="replica"), member(2), down(3)])
    assert overtaken(target(), replica, SECOND, THIRD, elected=True) == "", "it does not say so itself"


def test_the_newest_data_is_promoted_by_hand() -> None:
    cut = {"link_up": False}
    seen = view([], [down(1), member(2, offset=5, **cut), member(3, offset=6, **cut)])

    assert choose(unwatched(), seen, "") == (THIRD, [])
    assert choose(unwatched(), seen, SECOND) == (SECOND, [])
    loading = view([], [down(1), member(2, offset=5, **cut), member(3, offset=6, loading=True, **cut)])
    assert choose(unwatched(), loading, "") == (SECOND, [])


@pytest.mark.parametrize(
    ("aim", "seen", "words"),
    [
        (unwatched(), view([]), "answers as a master; use switchover"),
        (unwatched(), view([], [down(1), member(2), member(3)]), "the master is not down: orders@red2 is linked"),
        (unwatched(), view([], [down(1), down(2), down(3)]), "no replica of orders answers"),
        (target(), view(None, [down(1), member(2), member(3)]), "Sentinels watch orders"),
    ],
)
def test_nobody_is_promoted_by_hand_where_that_is_not_needed(aim: ServiceAccess, seen: ServiceView, words: str) -> None:
    (why,) = choose(aim, seen, "")[1]

    assert words in why


def test_a_record_outlives_lower_numbers(tmp_path: Path) -> None:
    path = tmp_path / "state" / "masters.json"
    assert manual_masters.read(str(path)) == {}

    manual_masters.note(str(path), "orders", MASTER, 3)
    manual_masters.note(str(path), "orders", REPLICA, 3)
    manual_masters.note(str(path), "cache", REPLICA, 1)

    found = manual_masters.read(str(path))
    assert {name: (each.master, each.number) for name, each in found.items()} == {
        "orders": (MASTER, 3),
        "cache": (REPLICA, 1),
    }
    assert found["orders"].time > 1e9
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert [each.name for each in path.parent.iterdir()] == ["masters.json"]
