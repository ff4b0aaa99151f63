"""check --hosts: the pre-flight table of the machines, by the same playbook that ansible-playbook runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from redis_fleet.cli.common import Follower, interruptible
from redis_fleet.cli.playbook_runner import Event, Options, play
from redis_fleet.cli.screen import Screen
from redis_fleet.preflight.table import counts
from redis_fleet.preflight.text import count_line, table
from redis_fleet.rules.hosts.host import Row

Hosts = Annotated[
    bool, typer.Option("--hosts", help="Look at the machines, too: memory, disks, kernel, ports, network.")
]
_STYLES = {"title": "bold", "fix": "dim", "warn": "yellow", "fail": "red", "pass": None, "": None}


class _Table(Follower):
    """Shows the table as soon as it is there, and keeps it."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self.rows: list[dict[str, str]] = []

    def __call__(self, event: Event) -> None:
        if event["event"] != "rows":
            super().__call__(event)
            return
        self.rows = list(event["rows"])
        self._screen.rest()
        for _, style, text in table(self.rows):
            self._screen.say(text, _STYLES[style])


def look(screen: Screen, file: Path, how: Options, *, strict: bool = False) -> dict[str, Any]:
    """Look at the machines of a description, print their table, and return it: ``file``, ``ok``, ``rows``, ``counts``.

    ``failures`` is what went wrong otherwise. Not ok: a row fails, or with ``strict`` a row warns.
    """
    shown = _Table(screen)
    with interruptible(screen):
        run = play("preflight", file, how, shown, {"redis_fleet_strict": strict})
    screen.rest()
    number = counts([Row(**row) for row in shown.rows])  # type: ignore[arg-type]
    failures = [] if shown.rows else run.failures
    for failure in failures:
        screen.fail(failure)
    if shown.rows:
        screen.say("")
        screen.say(count_line(shown.rows), "green" if run.ok else "red")
    return {"file": str(file), "ok": run.ok, "rows": shown.rows, "counts": number, "failures": failures}
