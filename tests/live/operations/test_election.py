"""Hand-overs by election on real servers and Sentinels: who votes, who is told, what is left when it fails."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redis_fleet.agent.messages.handover import Handover
from redis_fleet.agent.protocol.resp import ReplyError, pairs
from redis_fleet.agent.replication import handover
from redis_fleet.agent.replication.agreement import name_of
from redis_fleet.agent.replication.connections import Servers
from redis_fleet.agent.replication.election import Election, why_not
from redis_fleet.agent.replication.fence import FENCE, MIN_REPLICAS
from redis_fleet.agent.replication.view import view
from redis_fleet.agent.replication.voter import TIMEOUT
from redis_fleet.operations.switchover_report import ELECTION, FAILOVER
from tests.harness.live.processes import MONITOR, Group, eventually, running_group
from tests.harness.live.switching import (
    RED1,
    RED2,
    RED3,
    SENTINELS,
    SERVERS,
    USUAL,
    Load,
    agree_on,
    described,
    filed,
    healthy,
    live,
    named,
    sentinels_say,
    switch,
)

LONG = "60000"
"""A failover-timeout that nobody waits for twice."""


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        for name in SENTINELS:
            running.call(name, "SENTINEL", "SET", MONITOR, TIMEOUT, LONG)
        yield running


def hand_over(group: Group, new: str = RED2) -> Handover:
    """Hand over from the first server."""
    return handover.hand_over(group.target, RED1, new, described(USUAL), elect=True)


def before(monkeypatch: pytest.MonkeyPatch, step: str, action: Any) -> None:
    """Do something before a step of the election."""
    usual = getattr(Election, step)

    def meddled(one: Election, *given: Any) -> Any:
        action()
        return usual(one, *given)

    monkeypatch.setattr(Election, step, meddled)


def refuse_promotion(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let members refuse to become the master."""
    usual = Servers.repoint

    def refused(servers: Servers, name: str, master: str, *, cut: bool) -> str:
        if not master and name in names:
            raise ReplyError("ERR not now")
        return usual(servers, name, master, cut=cut)

    monkeypatch.setattr(Servers, "repoint", refused)


def as_before(group: Group, outcome: Handover) -> None:
    """Assert that nothing came of it and nothing is left of it."""
    assert (outcome.master, outcome.undone) == ("", True)
    assert live(group) == filed(group) == USUAL
    assert sentinels_say(group, TIMEOUT) == {LONG}
    agree_on(group, RED1)
    assert group.call(RED1, "SET", "taken", "yes") == "OK"


def test_all_sentinels_are_told_at_once_and_everything_is_as_before(group: Group) -> None:
    with Load(group, 1) as load:
        eventually(lambda: load.acknowledged > 100, "the load is on")

        outcome = hand_over(group)

        assert (outcome.master, outcome.undone, outcome.problems) == (RED2, False, ())
        # At the end of the call, not some time after it.
        assert named(group) == RED2
    assert load.lost() == 0
    assert sentinels_say(group, TIMEOUT) == {LONG}
    assert len(sentinels_say(group, "config-epoch")) == 1
    assert live(group) == filed(group) == USUAL
    agree_on(group, RED2)
    eventually(lambda: healthy(group, RED2), "nobody sees anything amiss")


def test_it_is_the_usual_way_and_the_report_says_so(group: Group) -> None:
    group.call(RED3, "CONFIG", "SET", "replica-priority", 10)
    report = switch(group, "red2")
    assert (report.problems, report.by, report.new_master, report.acknowledged_lost) == ((), ELECTION, RED2, 0)
    # It was chosen by us: nobody had to prefer it.
    assert live(group)[RED3]["replica-priority"] == "10"


def test_a_crash_soon_after_it_is_failed_over_as_fast_as_ever(group: Group) -> None:
    assert hand_over(group).problems == ()
    eventually(lambda: healthy(group, RED2), "all agree")
    group.kill(RED2)
    eventually(lambda: named(group) in (RED1, RED3), "a Sentinel failed over", 60)


def cast(group: Group, sentinels: tuple[str, ...], epoch: int, rival: str) -> None:
    """Let Sentinels vote for somebody else."""
    place = group.node(RED1).endpoint
    for name in sentinels:
        words = ("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", place.address, place.port, epoch, rival)
        assert group.call(name, *words)[1:] == [rival, epoch]


@pytest.mark.parametrize("epoch", [1, 7])
def test_whoever_stands_at_the_same_moment_is_let_be(group: Group, monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    before(monkeypatch, "win", lambda: cast(group, SENTINELS[:2], epoch, "f" * 40))
    outcome = hand_over(group)
    assert "somebody else stands for election" in outcome.problems[0]
    as_before(group, outcome)


def test_a_sentinel_that_was_elected_and_cannot_be_asked_may_be_at_it_still(group: Group) -> None:
    rival = next(
        pairs(row)["runid"]
        for row in group.call(SENTINELS[0], "SENTINEL", "SENTINELS", MONITOR)
        if int(pairs(row)["port"]) == group.node(SENTINELS[2]).endpoint.port
    )
    cast(group, SENTINELS[:2], 5, rival)
    assert why_not(group.target, RED1) == "", "it can be asked, and is not"
    group.kill(SENTINELS[2])
    assert "may be at it still" in why_not(group.target, RED1)


def test_epochs_of_other_services_count(group: Group) -> None:
    """They are counted for all together, and nobody tells which is the newest."""
    for name in SENTINELS:
        group.call(name, "SENTINEL", "MONITOR", "other", "127.0.0.1", 1, 2)
        words = ("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", 1, 57, "e" * 40)
        assert group.call(name, *words)[1:] == ["e" * 40, 57]
    outcome = hand_over(group)
    assert (outcome.master, outcome.problems) == (RED2, ())
    assert {int(each) for each in sentinels_say(group, "config-epoch")} == {112}


def test_without_a_majority_nothing_happens(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    def freeze() -> None:
        for name in SENTINELS[1:]:
            group.processes[name].send_signal(signal.SIGSTOP)

    before(monkeypatch, "win", freeze)
    outcome = hand_over(group)
    for name in SENTINELS[1:]:
        group.processes[name].send_signal(signal.SIGCONT)

    assert (outcome.master, outcome.undone) == ("", True)
    assert "1 of 2 votes" in outcome.problems[0]
    # What could not be put back is told.
    assert [each for each in outcome.problems if f"did not take {TIMEOUT} {LONG}" in each]
    assert live(group) == filed(group) == USUAL
    assert group.call(RED1, "SET", "taken", "yes") == "OK"


def test_a_minority_that_is_away_learns_of_it_later(group: Group) -> None:
    group.kill(SENTINELS[2])
    outcome = hand_over(group)
    assert (outcome.master, outcome.problems) == (RED2, ())
    assert said_by(group, SENTINELS[:2]) == {RED2}
    group.start(SENTINELS[2])
    eventually(lambda: said_by(group, SENTINELS) == {RED2}, "it has heard of it", 60)


def said_by(group: Group, sentinels: tuple[str, ...]) -> set[str]:
    """Return whom Sentinels name."""
    seen = {each.id: each for each in view(group.target).sentinels}
    return {name_of(group.target, seen[name].master) for name in sentinels}


def test_another_replica_takes_the_epoch_that_the_wanted_one_could_not(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_promotion(monkeypatch, RED2)
    outcome = hand_over(group)
    assert (outcome.master, outcome.undone) == (RED3, False)
    assert outcome.problems == (f"{RED2}: it answered: ERR not now; {RED3} was promoted, it has all writes too",)
    agree_on(group, RED3)


def test_votes_that_came_to_nothing_are_forgotten(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_promotion(monkeypatch, RED2, RED3)
    outcome = hand_over(group)
    monkeypatch.undo()

    assert len(outcome.problems) == 1
    as_before(group, outcome)
    eventually(lambda: healthy(group, RED1), "all agree")
    group.kill(RED1)
    # Twice the failover-timeout, two minutes, if a Sentinel still remembered its vote.
    eventually(lambda: named(group) in (RED2, RED3), "a Sentinel failed over", 60)


@pytest.mark.parametrize("step", ["win", "announce"])
def test_a_machine_that_is_lost_in_the_middle_leaves_what_the_next_run_finishes(
    group: Group, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Lost(BaseException):
        pass

    def lose() -> None:
        raise Lost

    with monkeypatch.context() as patch:
        before(patch, step, lose)
        with pytest.raises(Lost):
            hand_over(group)
    masters = [name for name in SERVERS if group.call(name, "ROLE")[0] == "master"]
    fenced = [name for name in masters if live(group)[name][MIN_REPLICAS] == str(FENCE)]
    assert fenced == [RED1], "the old master takes no writes, whatever came of it"
    assert len(masters) == (1 if step == "win" else 2)
    # Sentinels make it a replica again, if it was promoted: they were not told.
    eventually(lambda: healthy(group, RED1), "all agree on the old master", 60)

    report = switch(group, "red2")

    assert (report.problems, report.by, report.new_master) == ((), ELECTION, RED2)
    assert live(group) == filed(group) == USUAL
    assert group.call(RED2, "SET", "taken", "yes") == "OK"


def test_one_that_a_sentinel_made_a_replica_again_is_announced_no_more(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does after some seconds with one that says that it is a master and of which it has not heard."""
    told = []
    old = group.node(RED1).endpoint

    def unheard(*_: object) -> str:
        told.append("")
        if len(told) == len(SENTINELS):
            group.call(RED2, "REPLICAOF", old.address, old.port)
        raise ConnectionError("cut off")

    monkeypatch.setattr(Election, "_tell", unheard)
    outcome = hand_over(group)
    assert (outcome.master, outcome.undone, len(told)) == ("", True, len(SENTINELS)), outcome
    assert "made a replica again" in outcome.problems[0]
    assert live(group)[RED1] == USUAL[RED1], "it takes writes"
    eventually(lambda: healthy(group, RED1), "all is as before", 60)


def test_it_is_refused_by_name_where_sentinels_cannot_be_asked(group: Group) -> None:
    assert why_not(group.target, RED1) == ""
    for name in SENTINELS[:2]:
        group.kill(name)
    assert "1 Sentinels can be asked, 2 are needed" in why_not(group.target, RED1)
    assert why_not(group.target, RED2).count("it names orders@red1") == 1


def test_a_sentinel_that_does_not_take_announcements_is_ordered_to_fail_over(group: Group) -> None:
    for name in SENTINELS:
        group.call(name, "ACL", "SETUSER", "default", "-publish")
    why = why_not(group.target, RED1)
    assert "NOPERM" in why

    report = switch(group, "red2", by=ELECTION) if not why else switch(group, "red2")

    assert (report.problems, report.by, report.new_master) == ((), FAILOVER, RED2)
    assert any("no election" in event.text for event in report.timeline)
