"""--report: the page of a command, with the picture of the deployment as it is at its end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from redis_fleet import report as pages
from redis_fleet.cli.common import FAILED, INVALID
from redis_fleet.cli.context import Call
from redis_fleet.cli.screen import Screen

Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page with pictures, one HTML file.")
]


def check_writable(path: Path | None, screen: Screen) -> None:
    """Exit with 2 when there can be no page at that path: before the work that it would be about."""
    if path is None:
        return
    why = ""
    if path.is_dir():
        why = "it is a folder"
    elif not path.parent.is_dir():
        why = f"there is no folder {path.parent}"
    elif not os.access(path.parent, os.W_OK):
        why = f"{path.parent} cannot be written to"
    if why:
        screen.fail(f"--report {path}: {why}")
        raise typer.Exit(INVALID)


def statuses(call: Call) -> list[dict[str, Any]]:
    """Return the rows of status for the picture; none when they cannot be had, the page is there all the same."""
    rows: list[dict[str, Any]] = call.play("status").data.get("redis_fleet_status", {}).get("status", [])
    call.screen.rest()
    return rows


def write(path: Path, content: pages.Page, screen: Screen) -> None:
    """Write the page and say so; exits with 1 when that fails."""
    try:
        pages.write(path, content)
    except OSError as error:
        screen.fail(f"--report {path}: {error.strerror}")
        raise typer.Exit(FAILED) from None
    screen.say(f"report: {path}")
