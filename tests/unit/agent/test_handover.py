"""The hand-over without Sentinels, step by step, against servers that fail where a test wants it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from redis_fleet.agent.messages.handover import Handover
from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.agent.messages.usual_values import UsualValues
from redis_fleet.agent.replication import handover
from redis_fleet.agent.replication.fence import FENCE
from redis_fleet.agent.replication.handover import hand_over
from tests.unit.agent.scripted import CUT, ScriptedMember

FENCED = f"CONFIG SET min-replicas-to-write {FENCE}"
FREE = {"min-replicas-to-write": "0", "min-replicas-max-lag": "10", "replica-priority": "100"}


@dataclass
class Trio:
    """A master and two replicas."""

    old: ScriptedMember
    new: ScriptedMember
    third: ScriptedMember
    heard: list[tuple[str, str]]

    @property
    def access(self) -> ServiceAccess:
        """All that it takes to reach them."""
        return ServiceAccess("orders", members=tuple(each.instance for each in (self.old, self.new, self.third)))

    def hand_over(self, described: UsualValues | None = None) -> Handover:
        """Hand over from the first to the second."""
        usual = {self.old.instance.id: described} if described else {}
        return hand_over(self.access, self.old.instance.id, self.new.instance.id, usual)


@pytest.fixture
def trio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trio]:
    """Give three servers that are in step."""
    monkeypatch.setattr(handover, "CATCH_UP", 0.1)
    monkeypatch.setattr(handover, "DEMOTION", 0.1)
    heard: list[tuple[str, str]] = []
    old = ScriptedMember("red1", heard)
    new, third = (ScriptedMember(name, heard, old.instance.endpoint) for name in ("red2", "red3"))
    yield Trio(old, new, third, heard)
    for each in (old, new, third):
        each.close()


def test_the_fence_stands_from_before_the_promotion_until_after_the_demotion(trio: Trio) -> None:
    done = trio.hand_over()

    new = trio.new.instance.endpoint
    assert (done.master, done.undone, done.problems) == ("orders@red2", False, ())
    assert (trio.new.follows, trio.old.follows, trio.third.follows) == (None, new, new)
    assert trio.old.config == trio.old.file == FREE
    orders = [each for each in trio.heard if each[1] == FENCED or each[1].startswith(("REPLICAOF", "CONFIG SET"))]
    follow = f"REPLICAOF {new.address} {new.port}"
    assert orders == [
        ("red1", FENCED),
        ("red2", "REPLICAOF NO ONE"),
        ("red1", follow),
        ("red3", follow),
        ("red1", "CONFIG SET min-replicas-to-write 0"),
        ("red1", "CONFIG SET min-replicas-max-lag 10"),
    ]


def test_a_replica_that_does_not_catch_up_ends_it_and_the_fence_is_lifted(trio: Trio) -> None:
    trio.third.offset = 99
    done = trio.hand_over()

    assert (done.master, done.undone) == ("", True)
    assert done.problems == ("orders@red3 did not catch up with orders@red1 within 0 s",)
    assert (trio.old.follows, trio.old.config["min-replicas-to-write"]) == (None, "0")
    assert not [each for each in trio.heard if each[1].startswith("REPLICAOF")]


@pytest.mark.parametrize("failure", ["ERR not now", "NOPERM no"])
def test_a_promotion_that_is_refused_is_undone(trio: Trio, failure: str) -> None:
    trio.new.fails["REPLICAOF NO ONE"] = failure
    done = trio.hand_over()

    assert (done.master, done.undone, done.problems) == ("", True, (f"it answered: {failure}",))
    assert trio.old.config["min-replicas-to-write"] == "0"


def test_a_promotion_whose_answer_was_lost_counts_as_what_the_server_says(trio: Trio) -> None:
    trio.new.fails["REPLICAOF NO ONE"] = CUT
    done = trio.hand_over()

    assert (done.master, done.undone) == ("orders@red2", False)
    assert done.problems == ("orders@red2 may not have saved that it is the master",)
    assert trio.old.follows == trio.new.instance.endpoint


def test_an_old_master_that_cannot_be_demoted_keeps_its_fence(trio: Trio) -> None:
    trio.old.fails["REPLICAOF"] = "ERR no"
    done = trio.hand_over()

    assert (done.master, done.undone) == ("orders@red2", False)
    assert done.problems == (
        "orders@red1 could not be made a replica (it answered: ERR no); it takes no writes: start it again as a replica"
        " of orders@red2",
    )
    assert trio.old.config["min-replicas-to-write"] == str(FENCE)


def test_a_fence_that_a_killed_run_left_gives_way_to_what_is_described(trio: Trio) -> None:
    trio.old.config["min-replicas-to-write"] = str(FENCE)
    done = trio.hand_over(UsualValues(min_replicas="1", max_lag="5"))

    assert done.problems == ()
    assert trio.old.config == {**FREE, "min-replicas-to-write": "1", "min-replicas-max-lag": "5"}


def test_a_lag_of_zero_would_disable_the_fence_and_comes_back(trio: Trio) -> None:
    trio.old.config["min-replicas-max-lag"] = "0"
    lags = []
    trio.new.on = lambda line: lags.append(trio.old.config["min-replicas-max-lag"]) if "REPLICAOF" in line else None
    done = trio.hand_over()

    assert (done.problems, lags) == ((), ["10"])
    assert trio.old.config["min-replicas-max-lag"] == "0"


def test_a_file_that_cannot_be_saved_is_told(trio: Trio) -> None:
    trio.third.fails["CONFIG REWRITE"] = "ERR Rewriting config file: Permission denied"
    done = trio.hand_over()

    assert done.master == "orders@red2"
    assert done.problems == ("orders@red3 could not save its file: ERR Rewriting config file: Permission denied",)


def test_a_replica_that_is_not_fit_by_now_is_told_and_nothing_is_changed(trio: Trio) -> None:
    trio.new.config["replica-priority"] = "0"
    done = trio.hand_over()

    assert (done.master, done.undone) == ("", True)
    assert done.problems == (
        "orders@red2 must never be promoted (replica-priority 0); choose another or change its priority",
    )
    assert [each.text for each in done.notes] == ["nothing was changed"]
    assert trio.heard == []
