"""import: from configuration files that were set up by hand to a description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from redis_fleet.adoption.found import RefusedError
from redis_fleet.adoption.loading import usable, write
from redis_fleet.adoption.paths import Survey, look
from redis_fleet.adoption.secrets import Encrypt
from redis_fleet.cli.common import FAILED, INVALID, AskBecome, AskPass, Json, interruptible, use_vault
from redis_fleet.cli.discovering import discover
from redis_fleet.cli.playbook_runner import Options
from redis_fleet.cli.screen import Screen
from redis_fleet.description.schema import NAME
from redis_fleet.problems import Problem, UnreadableError

Vault = Annotated[
    Path | None,
    typer.Option("--vault-password-file", help="Write secrets as !vault values, encrypted with this password."),
]


def import_(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="redis.conf and sentinel.conf files, or one folder of them a machine.", show_default=False),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="A machine to look at instead of files: [USER@]NAME[:PORT]; more than once."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, else it is printed.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="The deployment's name.")] = "imported",
    engine: Annotated[
        str | None, typer.Option("--engine", help="redis or valkey, where the files do not tell.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--engine-version", help="The version that reads them: 7.0.15.")
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief", help="Leave out what is the default of the version (of all, without one).")
    ] = False,
    vault: Vault = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: Json = False,
    ask_pass: AskPass = False,
    ask_become: AskBecome = False,
) -> None:
    """Describe a Redis that somebody configured by hand, from its files or its machines; changes nothing.

    What cannot be carried over, and what was assumed, is said on standard error. Secrets become references to
    environment variables, or !vault values.
    """
    screen = Screen(as_json=as_json)
    _check(output, name, engine, force, screen)
    try:
        found = _found(paths or [], host or [], engine, version, Options(None, None, ask_pass, ask_become), screen)
        use_vault(vault)
        adopted, problems = usable(found.found, name, encrypt=_encrypt(vault), brief=brief)
    except RefusedError as error:
        _refuse(screen, *error.lines)
    except (UnreadableError, ValueError) as error:
        _refuse(screen, str(error))
    if problems:
        _refuse(screen, *(f"cannot be described: {_in_words(each)}" for each in problems))
    notes = [found.named(note) for note in (*found.notes, *adopted.notes)]
    wanted = [f"the description needs {adopted.wanted}"] if adopted.wanted else []
    if output:
        _write(output, adopted.text, screen)
    elif not as_json:
        typer.echo(adopted.text, nl=False)
    for note in (*notes, *wanted):
        if not as_json:
            typer.echo(note, err=True)
    screen.json(
        {
            "ok": not wanted,
            "description": None if output else adopted.text,
            "file": str(output) if output else None,
            "environment": list(adopted.secrets),
            "notes": notes,
            "needs": wanted,
        }
    )
    if wanted:
        raise typer.Exit(FAILED)


def _in_words(problem: Problem) -> str:
    rule = f" [{problem.rule}]" if problem.rule else ""
    return f"{problem.path}: {problem.what}; {problem.remedy}{rule}"


def _found(
    paths: list[Path], hosts: list[str], engine: str | None, version: str | None, how: Options, screen: Screen
) -> Survey:
    if bool(paths) == bool(hosts):
        _refuse(screen, "name files and folders, or machines with --host" + (", not both" if paths else ""))
    if not hosts:
        return look(paths, engine, version)
    with interruptible(screen):
        return discover(hosts, how, screen)


def _refuse(screen: Screen, *problems: str) -> None:
    for each in problems:
        screen.fail(each)
    screen.json({"ok": False, "problems": list(problems)})
    raise typer.Exit(INVALID) from None


def _check(output: Path | None, name: str, engine: str | None, force: bool, screen: Screen) -> None:
    if not re.match(NAME, name):
        _refuse(screen, f"'{name}' is not a usable name; use letters, digits, '-', '_' and '.'")
    if engine not in (None, "redis", "valkey"):
        _refuse(screen, f"'{engine}' is not an engine; use redis or valkey")
    if output and output.exists() and not force:
        _refuse(screen, f"{output} is there already; name another file, or say --force")


def _write(output: Path, text: str, screen: Screen) -> None:
    try:
        write(output, text)
    except OSError as error:
        _refuse(screen, f"{output} cannot be written: {error.strerror}")


def _encrypt(vault: Path | None) -> Encrypt | None:
    if vault is None:
        return None
    # Half a second of import of Ansible that most runs do not need.
    from redis_fleet.adoption.vault import encryption  # noqa: PLC0415

    return encryption(vault)
