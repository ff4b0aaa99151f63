"""check and render: commands that contact nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from redis_fleet.cli import config_test, preflight
from redis_fleet.cli.common import (
    FAILED,
    INVALID,
    AskBecome,
    AskPass,
    File,
    Json,
    Strict,
    Vault,
    read,
    use_vault,
)
from redis_fleet.cli.playbook_runner import Options
from redis_fleet.cli.screen import Screen
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError, Problem
from redis_fleet.render.files import write


def check(
    files: Annotated[list[Path], typer.Argument(help="Descriptions, *.redis.yml files.", show_default=False)],
    hosts: preflight.Hosts = False,
    strict: Strict = False,
    binary: config_test.Binary = None,
    no_binary: config_test.NoBinary = False,
    as_json: Json = False,
    vault: Vault = None,
    ask_pass: AskPass = False,
    ask_become: AskBecome = False,
) -> None:
    """Say everything that is wrong with descriptions; contacts no machine without --hosts.

    One line a problem: FILE:LINE: PATH: what is wrong; what to do [rule]. Exit code 0 when there is none, else 2.
    A warning is no problem, but with --strict it is; 'silence: {W3: REASON}' in the file takes it back.
    Where the engine's server is on PATH, in the described version, it starts each file in a scratch folder: what it has
    against one is a problem, too.
    With --hosts the machines are looked at, too, and a table says what passes, warns and fails there, with the fix:
    exit code 1 when something fails. The same as: ansible-playbook -i FILE playbooks/preflight.yml
    """
    screen = Screen(as_json=as_json)
    found: list[Problem] = []
    warned: list[Problem] = []
    use_vault(vault)
    for file in files:
        problems, warnings = _checked(file, config_test.asking(screen, binary, none=no_binary), strict=strict)
        for problem in problems:
            screen.fail(str(problem)) if as_json else screen.say(str(problem), "yellow" if problem.warning else None)
        for warning in warnings:
            screen.say(str(warning), "yellow")
        if not problems:
            screen.say(f"{file}: ok{_counted(warnings)}", "green")
        found += problems
        warned += warnings
    how = Options(None, vault, ask_pass, ask_become)
    usable = all(problem.warning for problem in found)
    looks = [preflight.look(screen, file, how, strict=strict) for file in files] if hosts and usable else []
    ok = not found and all(each["ok"] for each in looks)
    told = {"hosts": looks} if hosts else {}
    rows = {"problems": [each.row() for each in found], "warnings": [each.row() for each in warned]}
    screen.json({"ok": ok, **rows, **told})
    if not ok:
        raise typer.Exit(INVALID if found else FAILED)


def _checked(
    file: Path, ask: Callable[[Fleet], tuple[Problem, ...]], *, strict: bool
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return what keeps a file from being used, and what does not; what no rule refuses a server is asked about."""
    try:
        fleet = load_fleet(str(file))
    except InvalidDescriptionError as error:
        return error.problems, ()
    refused = ask(fleet)
    return (*refused, *(fleet.warnings if strict else ())), () if strict else fleet.warnings


def _counted(warnings: Sequence[Problem]) -> str:
    return f", {len(warnings)} warning{'s' * (len(warnings) > 1)}" if warnings else ""


def render(
    file: File,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to; made when missing.")],
    as_json: Json = False,
    vault: Vault = None,
) -> None:
    """Write the files of a first deployment, one folder a machine; contacts no machine.

    The files hold passwords: redis.conf and sentinel.conf can be read by you alone.
    """
    screen = Screen(as_json=as_json)
    written = write(read(file, screen, vault), output)
    for path in written:
        screen.say(str(path))
    screen.json({"ok": True, "files": [str(path) for path in written]})
