"""init: a description to begin with."""

from __future__ import annotations

import re
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import yaml

from redis_fleet.cli.common import INVALID, Json
from redis_fleet.cli.screen import Screen
from redis_fleet.description.schema import NAME
from redis_fleet.project import SAMPLES

_ENDING = ".redis.yml"
_NAME_LINE = re.compile(r"^name: .*$", re.MULTILINE)
_SECRETS = "# Passwords are made when needed, in .secrets/ beside this file: keep that folder, and keep it secret."
_USERS = "internal-users: yes             # redis-fleet, Sentinels and replicas log in as users of their own"
_NEXT = {
    "check": "everything that is wrong with it, by line",
    "sandbox up": "try it: the same as processes on this machine, until 'sandbox down'",
    "plan": "with your machines' addresses in it: what a deployment would do",
    "deploy": "do it",
    "verify": "prove that it works",
}


class Topology(StrEnum):
    """The samples, by name."""

    STANDALONE = "standalone"
    REPLICATION = "replication"
    SENTINEL = "sentinel"
    SHARED_MACHINES = "shared-machines"


def init(
    file: Annotated[Path, typer.Argument(help="The file to write, NAME.redis.yml.")] = Path("shop.redis.yml"),
    topology: Annotated[
        Topology,
        typer.Option(
            "--topology",
            help="One server; a master with replicas; the same with Sentinels; several services on the same machines.",
        ),
    ] = Topology.SENTINEL,
    as_json: Json = False,
) -> None:
    """Write a description to begin with, and say what to do next; the file's name is the deployment's.

    Exit code 2 when the file is there already: nothing is overwritten.
    """
    screen = Screen(as_json=as_json)
    name = file.name.removesuffix(_ENDING)
    if not file.name.endswith(_ENDING):
        _refuse(screen, f"{file} is no name of a description; let it end with {_ENDING}")
    if not re.fullmatch(NAME, name):
        _refuse(screen, f"'{name}' is not a usable name; use letters, digits, '-', '_' and '.'")
    _write(file, _text(topology, name), screen)
    todo = {f"redis-fleet {words} {shlex.quote(str(file))}": what for words, what in _NEXT.items()}
    screen.say(f"{file}: deployment {name}, as in the sample {topology}", "green")
    screen.say("next:")
    for command, what in todo.items():
        screen.say(f"  {command.ljust(max(map(len, todo)))}  # {what}")
    screen.json({"ok": True, "file": str(file), "name": name, "topology": str(topology), "next": list(todo)})


def _text(topology: Topology, name: str) -> str:
    """Return the sample under another name, with what to know about its secrets."""
    sample = (SAMPLES / f"{topology}{_ENDING}").read_text(encoding="utf-8")
    line = f"{yaml.safe_dump({'name': name}).strip()}\n{_USERS}"
    return f"{_SECRETS}\n{_NAME_LINE.sub(line, sample, count=1)}"


def _write(file: Path, text: str, screen: Screen) -> None:
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        _refuse(screen, f"{file} is there already; name another file")
    except OSError as error:
        _refuse(screen, f"{file} cannot be written: {error.strerror}")


def _refuse(screen: Screen, what: str) -> None:
    screen.fail(what)
    screen.json({"ok": False, "problems": [what]})
    raise typer.Exit(INVALID) from None
