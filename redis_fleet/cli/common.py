"""What the commands share: arguments, reading the description, exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from redis_fleet.cli.playbook_runner import Event, Options, Run
from redis_fleet.cli.screen import Screen
from redis_fleet.loading import load_fleet, load_in_sandbox
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.rules.silence import ways_on
from redis_fleet.sandbox import state

FAILED, INVALID, TO_DO, INTERRUPTED = 1, 2, 3, 130

File = Annotated[Path, typer.Argument(help="The description, a *.redis.yml file.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")]
InSandbox = Annotated[bool, typer.Option("--sandbox", help="Use the sandbox of this file instead of its machines.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at warnings, too.")]
Vault = Annotated[
    Path | None,
    typer.Option("--vault-password-file", help="Opens !vault values.", envvar="ANSIBLE_VAULT_PASSWORD_FILE"),
]
AskPass = Annotated[bool, typer.Option("--ask-pass", "-k", help="Ask for the ssh password.")]
AskBecome = Annotated[bool, typer.Option("--ask-become-pass", "-K", help="Ask for the sudo password.")]


def use_vault(vault: Path | None) -> None:
    """Open !vault values with this password file from now on, here and in the runs that are started."""
    if vault:
        os.environ["ANSIBLE_VAULT_PASSWORD_FILE"] = str(vault)


def read(file: Path, screen: Screen, vault: Path | None = None, root: Path | None = None) -> Fleet:
    """Return the placed fleet, with ``root`` as in that sandbox; prints every problem and exits with 2 on any."""
    use_vault(vault)
    try:
        return load_in_sandbox(str(file), root) if root else load_fleet(str(file))
    except InvalidDescriptionError as error:
        screen.fail(str(error))
        if way := ways_on(error.problems):
            screen.say(way, "dim")
        screen.json({"ok": False, "problems": [str(problem) for problem in error.problems]})
        raise typer.Exit(INVALID) from None


def warn(screen: Screen, fleet: Fleet, *, strict: bool) -> list[dict[str, str]]:
    """Print the warnings about a description and return their rows; exits with 2 when ``strict`` and there are any."""
    rows = [warning.row() for warning in fleet.warnings]
    for warning in fleet.warnings:
        screen.say(str(warning), "yellow")
    if strict and rows:
        screen.json({"ok": False, "problems": rows})
        raise typer.Exit(INVALID)
    return rows


def placed(fleet: Fleet, how: Options) -> Fleet:
    """Return the fleet where its processes really are: in a sandbox on ports of its own."""
    if how.sandbox is None:
        return fleet
    return load_in_sandbox(fleet.source, how.sandbox)


def options(
    file: Path, screen: Screen, *, sandbox: bool, vault: Path | None, ask_pass: bool = False, ask_become: bool = False
) -> Options:
    """Return how to run; exits with 1 when a sandbox is asked for and there is none."""
    root = None
    if sandbox:
        root = state.root_of(str(file))
        if not state.exists(root):
            said = f"{file} has no sandbox; 'redis-fleet sandbox up {file}' makes one"
            screen.fail(said)
            screen.json({"ok": False, "failures": [said]})
            raise typer.Exit(FAILED)
        read(file, screen, vault, root)
    return Options(root, vault, ask_pass, ask_become)


class Follower:
    """Shows tasks as they begin, checks and drill events as they happen."""

    def __init__(self, screen: Screen) -> None:
        """Keep the screen."""
        self._screen = screen

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event["event"] == "task":
            self._screen.doing(event["name"].rpartition(" : ")[2])
        elif event["event"] == "waiting":
            self._screen.doing(event["text"])
        elif event["event"] == "checked":
            self._screen.checks(event["service"], event["checks"])
        elif event["event"] == "drill":
            self._screen.rest()
            self._screen.say(f"{event['at_ms'] / 1000:8.2f} s  {event['text']}")


def end(screen: Screen, run: Run) -> None:
    """Exit with 1 and every failure's words when a run failed."""
    screen.rest()
    if not run.ok:
        for failure in dict.fromkeys(run.failures):
            screen.fail(failure)
        raise typer.Exit(FAILED)


@contextmanager
def interruptible(screen: Screen) -> Iterator[None]:
    """Turn Ctrl-C into exit code 130, without a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        screen.fail("interrupted")
        raise typer.Exit(INTERRUPTED) from None


def confirm(screen: Screen, question: str, yes: bool) -> None:
    """Ask on a terminal, unless ``yes``; exits with 1 for no, with 2 where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        screen.fail("this disturbs the service: say --yes where nobody can be asked")
        raise typer.Exit(INVALID)
    if not typer.confirm(question, err=True):
        raise typer.Exit(FAILED)
