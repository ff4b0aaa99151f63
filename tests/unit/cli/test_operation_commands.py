"""The commands for operations: what is asked of a playbook, what is told, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from redis_fleet.ansible import reference
from redis_fleet.cli import operation_commands
from redis_fleet.cli.main import app
from redis_fleet.cli.playbook_runner import Run
from redis_fleet.cli.screen import Screen
from redis_fleet.model import Fleet
from redis_fleet.operations.arguments import Arguments
from redis_fleet.operations.command import OperationCommand, Parameter, WrongArgumentError
from redis_fleet.operations.master_change_commands import PromoteCommand, SwitchoverCommand
from redis_fleet.operations.ports import OperationRefusedError
from redis_fleet.operations.registry import PROCEDURES
from redis_fleet.operations.repair import RepairCommand
from redis_fleet.project import PLAYBOOKS
from tests.unit.cases.builder import fleet_of

MOVED = {"old_master": "orders-6379@red1", "new_master": "orders-6379@red2", "write_gap_ms": 1200, "by": "election"}
MOVED |= {"acknowledged": 4321, "acknowledged_lost": 0}
COMMANDS = [(procedure.name, each) for procedure in PROCEDURES.values() for each in procedure.commands]


class Paint(OperationCommand):
    """A command that can be tried."""

    name = "paint"
    help = "Paint a service.\n\n    Twice."
    parameters = (
        Parameter("service", "argument", "Which."),
        Parameter("colour", "option", "How."),
        Parameter("thick", "flag", "More of it."),
    )
    tried = True

    def check(self, fleet: Fleet, given: Arguments) -> None:
        """Refuse two colours, each in its way."""
        if given.text("colour") == "plaid":
            raise WrongArgumentError("plaid is no colour")
        if given.text("colour") == "beige":
            raise OperationRefusedError(f"not beige for {fleet.name}")

    def question(self, given: Arguments) -> str:
        """Ask."""
        return f"paint {given.text('service')}?"

    def said(self, report: Mapping[str, Any]) -> str:
        """Say so."""
        return f"painted {report['coats']} times"

    def numbers(self, report: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
        """Count."""
        return (("coats", str(report["coats"])),) if report else ()


def run(report: Mapping[str, Any] | None = None, *failures: str) -> Run:
    """Return what came of a playbook."""
    data = {"redis_fleet_operation": {"report": report}} if report else {}
    return Run(1 if failures else 0, data, list(failures))


class FakeCall:
    """A call that notes which playbooks are run."""

    def __init__(self, tried: Run, done: Run, *, as_json: bool = False) -> None:
        """Keep what comes of them."""
        self.screen, self.fleet = Screen(as_json=as_json), fleet_of("sentinel")
        self._tried, self._done = tried, done
        self.played: list[tuple[str, str, dict[str, Any]]] = []

    def play(self, name: str, variables: dict[str, Any]) -> Run:
        """Note it."""
        self.played.append(("free", name, variables))
        return self._tried

    def play_locked(self, name: str, variables: dict[str, Any]) -> Run:
        """Note it."""
        self.played.append(("locked", name, variables))
        return self._done


def perform(call: Any, command: OperationCommand, yes: bool = True, **given: Any) -> int:
    """Perform a command and return its exit code."""
    try:
        operation_commands.perform(call, "painting", command, given, yes=yes)
    except typer.Exit as ended:
        return ended.exit_code
    return 0


def test_it_is_tried_and_done_with_what_was_given_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    call = FakeCall(run({"coats": 2}), run({"coats": 3}))
    assert perform(call, Paint(), service="orders", colour=None, thick=False) == 0

    given = {"redis_fleet_service": "orders", "redis_fleet_thick": False}
    assert call.played == [
        ("free", "painting", {**given, "redis_fleet_dry": True}),
        ("locked", "painting", given),
    ]
    told = capsys.readouterr().out
    assert [told.index(each) for each in ("painted 2", "coats", "painted 3")] == sorted(
        told.index(each) for each in ("painted 2", "coats", "painted 3")
    )


def test_what_cannot_be_tried_is_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    call = FakeCall(run(None, "the wall is wet"), run({"coats": 1}), as_json=True)
    assert perform(call, Paint(), service="orders") == 1
    assert [kind for kind, *_ in call.played] == ["free"]
    assert json.loads(capsys.readouterr().out) == {"ok": False, "service": "orders", "problems": ["the wall is wet"]}


def test_a_failure_is_told_with_the_report_that_it_came_to(capsys: pytest.CaptureFixture[str]) -> None:
    call = FakeCall(run({"coats": 1}), run({"ok": False, "coats": 1}, "it rained"), as_json=True)
    assert perform(call, Paint(), service="orders") == 1
    out, err = capsys.readouterr()
    assert (json.loads(out), "it rained" in err) == ({"ok": False, "coats": 1}, True)


@pytest.mark.parametrize(("colour", "code", "told"), [("plaid", 2, "plaid is no"), ("beige", 1, "not beige for")])
def test_what_needs_no_machine_to_know_is_said_before_any_is_asked(
    colour: str, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = FakeCall(run({"coats": 1}), run({"coats": 1}))
    assert perform(call, Paint(), service="orders", colour=colour) == code
    assert call.played == []
    assert told in capsys.readouterr().err


def test_nothing_is_done_where_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    call = FakeCall(run({"coats": 1}), run({"coats": 1}))
    assert perform(call, Paint(), yes=False, service="orders") == 2
    assert [kind for kind, *_ in call.played] == ["free"]


def test_a_command_has_its_own_parameters_between_the_file_and_those_of_all() -> None:
    made = typer.Typer(add_completion=False, rich_markup_mode=None)
    made.command("paint")(operation_commands.command_of("painting", Paint()))
    told = CliRunner().invoke(made, ["--help"]).output

    words = ["{file} {service}", "Paint a service.", "Twice.", "Which.", "--colour", "--thick", "--yes", "--sandbox"]
    places = [told.index(each) for each in words]
    assert places == sorted(places)
    assert "--no-thick" not in told


@pytest.mark.parametrize(("playbook", "command"), COMMANDS, ids=lambda each: getattr(each, "name", each))
def test_what_a_command_takes_is_a_variable_of_its_playbook(playbook: str, command: OperationCommand) -> None:
    notes = reference.notes((PLAYBOOKS / f"{playbook}.yml").read_text(encoding="utf-8"))
    variables = {each.name for each in notes if each.kind == "Variable"}
    asked = {f"redis_fleet_{each.name}" for each in command.parameters} | command.always.keys()
    assert asked | ({"redis_fleet_dry"} if command.tried else set()) <= variables


def test_each_command_of_an_operation_is_one_of_the_command_line() -> None:
    told = CliRunner().invoke(app, ["--help"]).output
    assert {each.name for _, each in COMMANDS} >= {"repair", "switchover", "promote"}
    assert all(f"\n  {each.name} " in told for _, each in COMMANDS)


def test_only_a_promotion_says_to_the_playbook_that_it_is_one() -> None:
    for command, given in ((PromoteCommand(), {"redis_fleet_promote": True}), (SwitchoverCommand(), {})):
        call = FakeCall(run(), run(MOVED))
        call.fleet = fleet_of("replication")
        assert perform(call, command, service=call.fleet.services[0].name) == 0
        assert call.played == [("locked", "painting", {"redis_fleet_service": call.fleet.services[0].name, **given})]


@pytest.mark.parametrize("to", ["red2", "orders-6379@red2", None])
def test_a_switchover_says_what_is_going_to_be_done(to: str | None) -> None:
    given = Arguments({"service": "orders", "to": to})
    SwitchoverCommand().check(fleet_of("sentinel"), given)
    goal = f" to {to}" if to else ""
    assert SwitchoverCommand().question(given).startswith(f"switch 'orders' over{goal}? Its writes")


@pytest.mark.parametrize(
    ("command", "given", "words"),
    [
        (SwitchoverCommand(), {"service": "carts"}, "'carts' is not a service of"),
        (SwitchoverCommand(), {"service": "orders", "to": "red9"}, "'orders' has no process on 'red9'; it has red1"),
        (PromoteCommand(), {"service": "carts"}, "'carts' is not a service of"),
        (RepairCommand(), {"process": "orders-6379@red9"}, "'orders-6379@red9' is not a server of"),
    ],
)
def test_what_the_description_does_not_have_is_named(
    command: OperationCommand, given: dict[str, str], words: str
) -> None:
    with pytest.raises(WrongArgumentError, match=words):
        command.check(fleet_of("sentinel"), Arguments(given))


def test_what_sentinels_do_themselves_is_refused() -> None:
    with pytest.raises(OperationRefusedError, match="the Sentinels promote a replica of 'orders' themselves; use"):
        PromoteCommand().check(fleet_of("sentinel"), Arguments({"service": "orders"}))


def test_the_numbers_of_a_switchover_are_those_of_one_that_was_done() -> None:
    numbers = SwitchoverCommand().numbers
    assert numbers(MOVED) == (
        ("writes refused for", "1,200 ms"),
        ("acknowledged writes", "4,321"),
        ("of these lost", "0"),
        ("handed over by", "election"),
        ("master", "orders-6379@red1 → orders-6379@red2"),
    )
    assert numbers({**MOVED, "new_master": ""})[-1] == ("master", "orders-6379@red1 → as before")
    assert numbers({}) == numbers({**MOVED, "old_master": ""}) == ()
    assert numbers({**MOVED, "new_master": MOVED["old_master"]}) == ()


def test_a_repair_that_fails_has_one_problem() -> None:
    told = RepairCommand().failed(Arguments({"process": "orders-6379@red1"}), ["one", "two"])
    assert told == {"ok": False, "process": "orders-6379@red1", "problem": "one; two"}
