"""check and render: commands that contact nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redis_fleet.cli.common import INVALID, File, Json, Vault, read, use_vault
from redis_fleet.cli.screen import Screen
from redis_fleet.problems import InvalidDescriptionError, Problem
from redis_fleet.render.files import write
from redis_fleet.topology.place import load_fleet


def check(
    files: Annotated[list[Path], typer.Argument(help="Descriptions, *.redis.yml files.", show_default=False)],
    as_json: Json = False,
    vault: Vault = None,
) -> None:
    """Say everything that is wrong with descriptions; contacts no machine.

    One line a problem: FILE:LINE: PATH: what is wrong; what to do. Exit code 0 when there is none, else 2.
    """
    screen = Screen(as_json=as_json)
    found: list[Problem] = []
    use_vault(vault)
    for file in files:
        try:
            load_fleet(str(file))
        except InvalidDescriptionError as error:
            found += error.problems
            for problem in error.problems:
                screen.fail(str(problem)) if as_json else screen.say(str(problem))
        else:
            screen.say(f"{file}: ok", "green")
    screen.json({"ok": not found, "problems": [_row(problem) for problem in found]})
    if found:
        raise typer.Exit(INVALID)


def _row(problem: Problem) -> dict[str, object]:
    return vars(problem) | {"position": str(vars(problem)["position"])}


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
