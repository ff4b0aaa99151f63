"""What ``check`` asks a real server about: its options, and how the answer is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from redis_fleet.cli.screen import Screen
from redis_fleet.config_test.local import tested
from redis_fleet.model import Fleet
from redis_fleet.problems import Problem

Binary = Annotated[
    Path | None,
    typer.Option("--binary", help="The server to start each file; else the engine's own on PATH.", show_default=False),
]
NoBinary = Annotated[bool, typer.Option("--no-binary", help="Start no server.")]


def asking(screen: Screen, binary: Path | None, *, none: bool) -> Callable[[Fleet], tuple[Problem, ...]]:
    """Return what asks a server about the files of a fleet, says which one, and returns what that has against them."""

    def ask(fleet: Fleet) -> tuple[Problem, ...]:
        if none:
            return ()
        found = tested(fleet, str(binary) if binary else "", screen.doing)
        screen.rest()
        if found.said:
            screen.say(f"{fleet.source}: {found.said}")
        return found.problems

    return ask
