"""What every operation on a service has from its engine: bounded waits, undoing after every end, one kind of report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from redis_fleet.agent.messages.client import Event, Look, Tally
from redis_fleet.agent.messages.handover import Handover, Note
from redis_fleet.agent.messages.service import ServiceView
from redis_fleet.operations import operation, promotion
from redis_fleet.operations.operation import GaveUpError, Operation
from redis_fleet.operations.ports import TimelineEvent
from redis_fleet.operations.report import Measured, OperationReport
from redis_fleet.operations.switchover_report import SwitchoverReport
from tests.harness.live.processes import make_target

TARGET = make_target([1, 2, 3, 4, 5, 6])
VIEW = ServiceView(0.0)


class ScriptedClient:
    """A client whose writer tells these events, one list a look, and then nothing more."""

    def __init__(self, *events: list[Event], tally: Tally | None = None) -> None:
        """Keep them."""
        self.events, self.tally, self.stopped = list(events), tally, 0

    def start(self) -> None:
        """Start nothing."""

    def look(self) -> Look:
        """Return the next events."""
        told = self.events.pop(0) if self.events else []
        return Look(tuple(told), 0, VIEW)

    def stop(self) -> Tally | None:
        """Count it."""
        self.stopped += 1
        return self.tally


class Scripted(Operation):
    """An operation whose steps are a function."""

    def __init__(self, client: ScriptedClient, steps: Callable[[Scripted], None], say: Any = lambda _: None) -> None:
        """Keep it, and what is called."""
        super().__init__(TARGET, client, say, VIEW)
        self.given, self.called = steps, list[str]()

    def steps(self) -> None:
        """Do them."""
        self.given(self)

    def undo(self) -> None:
        """Note it."""
        self.called.append("undo")

    def gave_up(self) -> None:
        """Note it."""
        self.called.append("gave up")

    def interrupted(self) -> None:
        """Note it."""
        self.called.append("interrupted")

    @property
    def problems(self) -> list[str]:
        """What is wrong."""
        return self._problems


def counted(**changes: Any) -> Tally:
    """Return a tally with nothing wrong in it."""
    return replace(Tally(900, 0, 4, 300, ""), **changes)


def test_a_good_end_puts_back_measures_and_stops() -> None:
    client = ScriptedClient(tally=counted())
    done = Scripted(client, lambda _: None)

    assert done.perform() == Measured(300, 900, 0, 4)
    assert done.called[0] == "undo"
    assert client.stopped
    assert done.problems == []


def test_what_the_client_counted_is_judged_only_where_it_wrote() -> None:
    lost = counted(acknowledged_lost=3)
    wrote, looked = (Scripted(ScriptedClient(tally=lost), lambda _: None) for _ in range(2))

    assert wrote.perform().acknowledged_lost == 3
    assert wrote.problems == ["3 of 900 acknowledged writes were lost"]
    assert looked.perform(measure=False) == Measured()
    assert looked.problems == []


def test_a_step_that_does_not_end_is_a_problem_and_undone() -> None:
    def steps(it: Scripted) -> None:
        it.until(lambda _: False, 0.0, "nobody took over")

    client = ScriptedClient(tally=counted())
    done = Scripted(client, steps)
    done.perform()

    assert done.called[:2] == ["gave up", "undo"]
    assert done.problems == ["nobody took over"]
    assert client.stopped


def test_an_interrupt_is_raised_again_after_winding_up_and_undoing() -> None:
    def steps(_: Scripted) -> None:
        raise KeyboardInterrupt

    client = ScriptedClient()
    done = Scripted(client, steps)

    with pytest.raises(KeyboardInterrupt):
        done.perform()
    assert done.called == ["interrupted", "undo"]
    assert client.stopped


def test_whatever_else_is_raised_is_undone_too() -> None:
    def steps(_: Scripted) -> None:
        raise ConnectionError("gone")

    client = ScriptedClient()
    done = Scripted(client, steps)

    with pytest.raises(ConnectionError):
        done.perform()
    assert done.called == ["undo"]
    assert client.stopped


def test_a_writer_that_breaks_down_ends_a_wait_at_once() -> None:
    def steps(it: Scripted) -> None:
        it.until(lambda _: False, 1000.0, "never said")

    done = Scripted(ScriptedClient([Event("failed", 0.0, 0, reason="no memory")], tally=counted()), steps)
    done.perform()

    assert done.problems == ["the writer broke down: no memory"]


def test_what_is_missing_at_the_end_of_a_wait_is_said_piece_by_piece() -> None:
    events: list[TimelineEvent] = []
    done = Scripted(
        ScriptedClient(tally=counted()),
        lambda it: it.await_agreement(lambda _: ["red2 is late", "red3 is late"], 0.0, "all agree"),
        events.append,
    )
    done.perform()

    assert done.problems == ["red2 is late", "red3 is late"]
    assert [event.text for event in events] == done.problems
    assert "gave up" not in done.called


def test_what_was_changed_is_put_back_before_the_numbers_are_read() -> None:
    client = ScriptedClient(tally=counted())
    stopped: list[int] = []

    class Careful(Scripted):
        def undo(self) -> None:
            stopped.append(client.stopped)

    Careful(client, lambda _: None).perform()

    assert stopped[0] == 0


def test_without_a_client_nobody_can_say_what_is_missing() -> None:
    client = ScriptedClient([Event("failed", 0.0, 0, reason="no memory")], tally=counted())
    done = Scripted(client, lambda it: it.await_agreement(lambda _: ["red2 is late"], 1000.0, "all agree"))
    done.perform()

    assert done.problems == ["the writer broke down: no memory"]


def test_agreement_that_cannot_come_any_more_is_not_waited_for() -> None:
    def steps(it: Scripted) -> None:
        it.await_agreement(lambda _: ["red2 is late"], 1000.0, "all agree", vain=lambda _: "red3 is the master by now")

    done = Scripted(ScriptedClient(tally=counted()), steps)
    done.perform()

    assert done.problems == ["red3 is the master by now", "red2 is late"]
    assert "gave up" not in done.called


def test_agreement_is_said_and_may_want_writes_to_go_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "PAUSE", 0.0)
    refused = [Event("refused", 0.0, 0, reason="fenced")]
    accepted = [Event("accepted", 0.0, 0, gap_ms=5)]
    looks: list[str] = []

    def missing(_: Any) -> list[str]:
        looks.append("look")
        return []

    events: list[TimelineEvent] = []
    client = ScriptedClient(refused, accepted, tally=counted())
    Scripted(client, lambda it: it.await_agreement(missing, 60.0, "all agree", served=True), events.append).perform()

    assert len(looks) == 2
    assert events[-1].text == "all agree"


def test_giving_up_inside_of_the_steps_is_theirs_to_catch() -> None:
    def steps(it: Scripted) -> None:
        with pytest.raises(GaveUpError, match="too late"):
            it.until(lambda _: False, 0.0, "too late")

    done = Scripted(ScriptedClient(tally=counted()), steps)
    done.perform()

    assert done.problems == []
    assert "gave up" not in done.called


def test_a_report_is_good_exactly_without_problems() -> None:
    assert OperationReport().ok
    bad = OperationReport(problems=("this", "and that"))
    assert not bad.ok
    assert bad.failure == "this\nand that"
    assert bad.to_dict() == {"ok": False, "problems": ("this", "and that")}


def test_a_change_of_master_is_told_flat() -> None:
    told = SwitchoverReport(service="orders", old_master="a", new_master="b", **asdict(Measured(1, 2, 3, 4))).to_dict()
    assert told == {
        "ok": True, "service": "orders", "old_master": "a", "new_master": "b", "write_gap_ms": 1, "acknowledged": 2,
        "acknowledged_lost": 3, "refused": 4, "undone": False, "by": "", "problems": (), "timeline": (),
    }  # fmt: skip


@pytest.mark.parametrize(("old", "new", "changed"), [("a", "b", True), ("a", "a", False), ("a", "", False)])
def test_whether_there_is_a_new_master(old: str, new: str, changed: bool) -> None:
    assert SwitchoverReport(service="orders", old_master=old, new_master=new).changed is changed


def test_a_promotion_that_succeeds_is_a_good_report() -> None:
    events: list[TimelineEvent] = []
    asked: list[str] = []

    def promote(name: str) -> Handover:
        asked.append(name)
        return Handover("orders@red2", False, (), (Note(5.0, "first"), Note(5.25, "then")), 6.0)

    report = promotion.run(TARGET, promote, events.append, "red2")

    assert asked == ["orders@red2"]
    assert report.ok
    assert report.changed
    assert report.new_master == "orders@red2"
    assert [(event.at_ms, event.text) for event in events] == [(0, "first"), (250, "then")]
    assert report.timeline == tuple(events)


def test_a_promotion_that_fails_names_what_is_wrong() -> None:
    outcome = Handover("", True, ("it answers",), (), 0.0)
    report = promotion.run(TARGET, lambda _: outcome, lambda _: None)
    assert not report.ok
    assert report.undone
    assert report.failure == "it answers"


def test_the_events_of_an_outage_have_codes() -> None:
    events: list[TimelineEvent] = []
    told = [
        Event("refused", 0.0, 0, reason="fenced"),
        Event("accepted", 0.0, 0, gap_ms=5),
    ]
    client = ScriptedClient(told, tally=counted())
    Scripted(client, lambda it: it.until(lambda _: True, 1.0), events.append).perform()

    assert [(event.code, event.kind) for event in events] == [
        ("writes_refused", "writer"),
        ("writes_accepted", "writer"),
    ]
