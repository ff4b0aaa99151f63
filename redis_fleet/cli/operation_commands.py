"""The commands for operations, made of what each procedure says of them (operations/command.py)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from redis_fleet.cli.common import FAILED, INVALID, Yes, confirm, end
from redis_fleet.cli.context import Call, on_machines
from redis_fleet.cli.playbook_runner import Run
from redis_fleet.operations.arguments import Arguments
from redis_fleet.operations.command import OperationCommand, Parameter, WrongArgumentError
from redis_fleet.operations.ports import OperationRefusedError
from redis_fleet.operations.registry import PROCEDURES


def commands() -> dict[str, Callable[..., None]]:
    """Return the functions that typer makes commands of, by name."""
    return {
        each.name: command_of(procedure.name, each) for procedure in PROCEDURES.values() for each in procedure.commands
    }


def command_of(playbook: str, command: OperationCommand) -> Callable[..., None]:
    """Return the function of one command, with its parameters, --yes, and those of every command on machines."""

    def called(call: Call, yes: bool = False, **given: Any) -> None:
        perform(call, playbook, command, given, yes=yes)

    own = [_parameter(each) for each in command.parameters]
    called.__name__, called.__doc__ = command.name, command.help
    called.__signature__ = inspect.Signature([_of("call", Call), *own, _of("yes", Yes, False)])  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in called.__signature__.parameters.values()}  # type: ignore[attr-defined]
    return on_machines(called)


def perform(call: Call, playbook: str, command: OperationCommand, given: dict[str, Any], *, yes: bool) -> None:
    """Check, try where it is to be tried, ask, do, and tell; ends with the exit code where it is not 0."""
    screen, arguments = call.screen, Arguments(given)
    _check(call, command, arguments)
    asked = {f"redis_fleet_{name}": value for name, value in given.items() if value is not None}
    variables = {**asked, **command.always}
    if command.tried:
        tried = call.play(playbook, {**variables, "redis_fleet_dry": True})
        if not tried.ok:
            _told(call, command, arguments, tried)
            end(screen, tried)
        screen.rest()
        screen.say(command.said(_report(tried)))
    confirm(screen, command.question(arguments), yes)
    run = call.play_locked(playbook, variables)
    _told(call, command, arguments, run)
    end(screen, run)
    screen.say(command.said(_report(run)), "green")


def _check(call: Call, command: OperationCommand, arguments: Arguments) -> None:
    try:
        command.check(call.fleet, arguments)
    except WrongArgumentError as error:
        call.screen.fail(str(error))
        raise typer.Exit(INVALID) from None
    except OperationRefusedError as error:
        call.screen.fail(str(error))
        call.screen.json(command.failed(arguments, [str(error)]))
        raise typer.Exit(FAILED) from None


def _report(run: Run) -> dict[str, Any]:
    """Return the report, empty when it did not come to one."""
    return dict(run.data.get("redis_fleet_operation", {}).get("report", {}))


def _told(call: Call, command: OperationCommand, arguments: Arguments, run: Run) -> None:
    """Print the report where JSON is wanted, else what was measured."""
    report = _report(run)
    call.screen.json(report or command.failed(arguments, run.failures))
    if rows := command.numbers(report):
        call.screen.rest()
        call.screen.say("")
        call.screen.table(("", ""), rows)


def _parameter(parameter: Parameter) -> inspect.Parameter:
    if parameter.kind == "argument":
        return _of(parameter.name, Annotated[str, typer.Argument(help=parameter.help, show_default=False)])
    if parameter.kind == "flag":
        flag = Annotated[bool, typer.Option(f"--{parameter.name}", help=parameter.help)]
        return _of(parameter.name, flag, False)
    return _of(parameter.name, Annotated[str | None, typer.Option(help=parameter.help)], None)


def _of(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)
