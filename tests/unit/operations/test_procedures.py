"""What operation.yml asks the operations for: what is chosen, done and remembered, and what the lock notes."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from redis_fleet.agent.messages.handover import Handover, NoteManualMaster
from redis_fleet.agent.messages.running import Repair, Repaired
from redis_fleet.ansible.callback.redis_fleet_front import _named
from redis_fleet.ansible.runs import RunIntent
from redis_fleet.operations.arguments import Arguments
from redis_fleet.operations.master_change import MasterChangeProcedure
from redis_fleet.operations.ports import OperationRefusedError
from redis_fleet.operations.procedure import Chosen, Situation
from redis_fleet.operations.registry import PROCEDURES
from redis_fleet.operations.repair import RepairProcedure, said
from redis_fleet.project import PLAYBOOKS
from tests.unit.cases.builder import fleet_of, observed

REPAIRED = Repaired(file="/data/aof", size=1500, cut=500, commands=0, backup="/data/backup", keys=12)
RECORD = {"master": "10.0.0.12:6379", "number": 4}


class FakeMachine:
    """A machine that notes what it was asked for, and answers with a result or an error."""

    def __init__(self, answer: Any = None, name: str = "red1") -> None:
        """Keep both."""
        self.name, self.answer = name, answer
        self.asked: list[tuple[Any, bool]] = []

    def ask(self, request: Any, *, dry: bool = False) -> Any:
        """Note it and answer."""
        self.asked.append((request, dry))
        return self._answered()

    def _answered(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def situation(
    sample: str = "sentinel",
    machine: FakeMachine | None = None,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
    case: Mapping[str, Any] | None = None,
    trying: bool = False,
    **given: Any,
) -> Situation:
    """Return what a step is given; all machines answered with no record unless it is said otherwise."""
    fleet = fleet_of(sample)
    known = {name: {"records": {}} for name in fleet.machines} if answers is None else answers
    told = lambda: observed(fleet, case or {})  # noqa: E731
    return Situation(fleet, Arguments(given), machine or FakeMachine(), told, known, lambda _: None, trying)


def switch(**given: Any) -> Situation:
    """Return the situation of a switchover of orders."""
    return situation(**{"service": "orders", **given})


@pytest.mark.parametrize("value", [True, "true", "True", "yes", "1", "on", 1])
def test_a_truth_of_the_command_line_is_a_text(value: Any) -> None:
    assert Arguments({"dry": value}).truth("dry")


@pytest.mark.parametrize("value", [False, "false", "no", "0", "off", "", None])
def test_everything_else_is_no_truth(value: Any) -> None:
    assert not Arguments({"dry": value}).truth("dry", default=True)


def test_what_is_not_given_has_its_default() -> None:
    nothing = Arguments({})
    assert (nothing.text("to"), nothing.truth("dry"), nothing.number("timeout", 600)) == ("", False, 600.0)
    assert nothing.truth("measure", default=True)
    assert Arguments({"timeout": "30"}).number("timeout", 600) == 30.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trying": True}, "a switchover cannot be tried, only done"),
        ({"service": "carts"}, "there is no service 'carts'; there are orders"),
    ],
)
def test_a_switchover_is_refused_before_anybody_is_asked(given: dict[str, Any], words: str) -> None:
    with pytest.raises(OperationRefusedError) as refused:
        MasterChangeProcedure().check(switch(**given))
    assert str(refused.value) == words
    MasterChangeProcedure().check(switch())


@pytest.mark.parametrize(
    ("to", "silent", "machine"),
    [
        ("", (), "red1"),
        ("red3", (), "red3"),
        ("orders-6379@red2", (), "red2"),
        ("red3", ("red3",), "red1"),
        ("", ("red1",), "red2"),
    ],
)
def test_a_switchover_is_done_from_a_machine_that_answers(to: str, silent: tuple[str, ...], machine: str) -> None:
    answers: dict[str, dict[str, Any]] = {
        name: {} if name in silent else {"records": {}} for name in ("red1", "red2", "red3")
    }
    chosen = MasterChangeProcedure().choose(switch(to=to, answers=answers))

    assert chosen.machine == machine
    assert chosen.reachable == tuple(name for name in answers if name not in silent)
    assert (chosen.verb, chosen.how, chosen.lock) == ("switchover", "SWITCHOVER", True)
    assert chosen.what == f"switchover orders {to}".rstrip()


def test_without_any_machine_there_is_no_switchover() -> None:
    with pytest.raises(OperationRefusedError, match="no machine can be reached"):
        MasterChangeProcedure().choose(switch(answers={name: {} for name in ("red1", "red2", "red3")}))


def test_a_promotion_is_noted_as_one() -> None:
    chosen = MasterChangeProcedure().choose(switch(sample="replication", promote="true"))
    assert (chosen.verb, chosen.what) == ("promote", "promote orders")


def test_a_lost_machine_ends_a_promotion_at_once_with_nothing_changed() -> None:
    given = switch(sample="replication", promote=True, machine=FakeMachine(RuntimeError("red1 is gone")))
    done = MasterChangeProcedure().do(given, {})

    assert (done.changed, done.at_once, done.report.failure) == (False, True, "red1 is gone")
    assert done.told == {"master": ""}


def test_problems_after_a_promotion_wait_until_it_is_remembered() -> None:
    outcome = Handover("orders-6379@red3", undone=False, problems=("red2 is late",), notes=(), time=0.0)
    given = switch(sample="replication", promote=True, machine=FakeMachine(outcome))
    done = MasterChangeProcedure().do(given, {})

    assert (done.changed, done.at_once, done.report.ok) == (True, False, False)
    assert done.told == {"master": "10.0.0.13:6379"}


def test_who_is_master_is_remembered_where_no_sentinel_does_with_the_next_number() -> None:
    machine = FakeMachine(name="red2")
    answers = {"red1": {"records": {"orders": RECORD}}, "red2": {"records": {}}, "red3": {}}
    report = {"old_master": "orders-6379@red2", "new_master": "orders-6379@red3"}
    given = switch(sample="replication", machine=machine, answers=answers)

    assert MasterChangeProcedure().remember(given, report)
    ((note, _),) = machine.asked
    assert isinstance(note, NoteManualMaster)
    assert (note.service, note.master, note.number) == ("orders", "10.0.0.13:6379", 5)


@pytest.mark.parametrize(
    ("sample", "new"),
    [("sentinel", "orders-6379@red3"), ("replication", "orders-6379@red2"), ("replication", "")],
    ids=["Sentinels remember it", "the same master", "nobody was promoted"],
)
def test_nothing_else_is_remembered(sample: str, new: str) -> None:
    machine = FakeMachine()
    report = {"old_master": "orders-6379@red2", "new_master": new}
    assert not MasterChangeProcedure().remember(switch(sample=sample, machine=machine), report)
    assert machine.asked == []


DOWN: dict[str, Any] = {"processes": {"orders-6379@red2": {"is": "down"}}}


def test_a_process_that_is_down_is_repaired_as_a_replica_of_the_master() -> None:
    chosen = RepairProcedure().choose(situation(process="orders-6379@red2", case=DOWN))

    assert (chosen.machine, chosen.process, chosen.details) == ("red2", "orders-6379", {"follow": "10.0.0.11 6379"})
    assert (chosen.verb, chosen.how, chosen.what) == ("repair", "REPAIR", "repair orders-6379@red2")
    assert chosen.lock
    assert not RepairProcedure().choose(situation(process="orders-6379@red2", case=DOWN, dry="true")).lock


@pytest.mark.parametrize(
    ("process", "case", "words"),
    [
        ("orders-6379@red9", {}, "there is no server 'orders-6379@red9'; there are orders-6379@red1"),
        ("orders-6379@red2", {}, "orders-6379@red2 runs and answers, so nothing keeps it from starting"),
        ("orders-6379@red2", {"machines": {"red2": {"error": "no route"}}}, "red2 cannot be reached: no route"),
    ],
)
def test_what_is_not_to_be_repaired_is_refused(process: str, case: dict[str, Any], words: str) -> None:
    with pytest.raises(OperationRefusedError) as refused:
        RepairProcedure().choose(situation(process=process, case=case))
    assert words in str(refused.value)


def test_a_machine_out_of_reach_is_not_among_those_that_are_locked() -> None:
    case = {**DOWN, "machines": {"red3": {"error": "no route"}}}
    chosen = RepairProcedure().choose(situation(process="orders-6379@red2", case=case))
    assert chosen.reachable == ("red1", "red2")


@pytest.mark.parametrize(
    ("trying", "dry", "really"), [(False, False, False), (True, False, True), (False, "true", True)]
)
def test_a_repair_may_only_be_tried(trying: bool, dry: Any, really: bool) -> None:
    machine = FakeMachine(REPAIRED)
    given = situation(process="orders-6379@red2", machine=machine, trying=trying, dry=dry, discard="yes", timeout="30")
    done = RepairProcedure().do(given, {"follow": "none"})

    ((asked, was_dry),) = machine.asked
    assert isinstance(asked, Repair)
    assert (asked.follow, asked.discard, asked.timeout, was_dry) == ("none", True, 30.0, really)
    assert (done.changed, done.report.ok, done.report.to_dict()["dry"]) == (True, True, really)
    assert done.summary == said(done.report.to_dict())
    assert ("would be cut off" in done.summary) is really


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (OperationRefusedError("it runs"), "nothing was touched: it runs"),
        (RuntimeError("it does not start"), "it does not start"),
    ],
)
def test_a_repair_that_fails_is_a_report_so_that_the_lock_is_given_back(error: Exception, problem: str) -> None:
    done = RepairProcedure().do(situation(process="orders-6379@red2", machine=FakeMachine(error)), {"follow": "none"})

    assert (done.changed, done.at_once) == (False, False)
    assert done.report.to_dict() == {"ok": False, "process": "orders-6379@red2", "problem": problem}


def test_the_lock_of_an_operation_has_one_step_for_every_machine_it_can_reach() -> None:
    chosen = Chosen("red2", "repair", "REPAIR", "repair orders-6379@red2", ("red1", "red2"), "orders-6379")
    intent = RunIntent.of_operation(fleet_of("sentinel"), chosen, {"id": "abc"})

    (step,) = intent.on("red2")
    assert (step["number"], step["how"], step["process"], step["reason"]) == (1, "REPAIR", "orders-6379", "asked for")
    assert intent.on("red3") == ()
    assert intent.lost == ("red3",)
    assert RunIntent.planned(intent.to_dict()) == intent


def test_the_steps_of_a_plan_are_numbered_for_the_lock() -> None:
    steps = [{"machine": "red1", "what": "first"}, {"machine": "red2", "what": "second"}]
    masters = {"orders": {"master": "10.0.0.11:6379"}}
    intent = RunIntent.planned({"run": {"id": "abc"}, "steps": steps, "notes": ["so"], "masters": masters, "again": 1})

    assert [step["number"] for step in intent.steps] == [1, 2]
    assert (intent.notes, intent.masters, intent.lost) == (("so",), masters, ())


def test_every_operation_has_a_playbook_and_no_other() -> None:
    imported = {
        play["vars"]["redis_fleet_operation"]["name"]
        for file in PLAYBOOKS.glob("*.yml")
        for play in yaml.safe_load(file.read_text(encoding="utf-8"))
        if play.get("ansible.builtin.import_playbook") == "operation.yml"
    }
    assert imported == PROCEDURES.keys()


@pytest.mark.parametrize(
    ("whole", "name", "shown", "told"),
    [
        ("redis_machine : Make it so", "Make it so", "Make it so", "redis_machine : Make it so"),
        ("{{ operation.do }}", "{{ operation.do }}", "Make it so", "Make it so"),
        ("redis_fleet_observe", "", "redis_fleet_observe", "redis_fleet_observe"),
    ],
)
def test_a_failure_names_its_task_in_the_words_that_were_shown(whole: str, name: str, shown: str, told: str) -> None:
    task = SimpleNamespace(get_name=lambda: whole, name=name)
    assert _named(SimpleNamespace(task=task, task_name=shown)) == told
