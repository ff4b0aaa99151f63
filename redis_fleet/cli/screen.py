"""What a person sees: colour only on a terminal, progress when a step takes longer, JSON alone on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from redis_fleet.plan.text import lines
from redis_fleet.problems import one_line

# A file or a pipe has no width to fit into.
_WIDE = 240
_STYLES = {"plain": None, "title": "bold", "reason": "dim", "note": "yellow", "good": "green"}
_MARKS = {True: "[green]ok    [/]", False: "[red]failed[/]"}


class Screen:
    """Prints for people; with ``as_json`` everything but the one object goes to standard error."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Choose where to print."""
        self.as_json = as_json
        self._console = Console(stderr=as_json, highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console.width = _WIDE
        self._status: Status | None = None

    def say(self, text: str, style: str | None = None) -> None:
        """Print a line."""
        self._console.print(_shown(text), style=style)

    def fail(self, text: str) -> None:
        """Print an error to standard error."""
        self.rest()
        Console(stderr=True, highlight=False, soft_wrap=True).print(_shown(text), style="red")

    def doing(self, text: str) -> None:
        """Show what goes on: a spinner on a terminal, a line elsewhere."""
        if not self._console.is_terminal:
            self.say(f"… {text}")
            return
        if self._status is None:
            self._status = self._console.status(_shown(text))
            self._status.start()
        else:
            self._status.update(_shown(text))

    def rest(self) -> None:
        """Take the spinner away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def json(self, value: Any) -> None:
        """Print the one JSON object of a command that was asked for one."""
        if not self.as_json:
            return
        self.rest()
        json.dump(value, sys.stdout, indent=2)
        sys.stdout.write("\n")

    def plan(self, plan: Mapping[str, Any]) -> None:
        """Print a plan."""
        self.rest()
        for style, text in lines(plan):
            self.say(text, _STYLES[style])

    def checks(self, service: str, checks: Sequence[Mapping[str, Any]]) -> None:
        """Print a verification: a line a process with what is fine there, and one for each failed check."""
        self.rest()
        self._console.print(f"\n[bold]{_shown(service)}[/]")
        width = max((len(check["subject"]) for check in checks), default=0)
        for subject in dict.fromkeys(check["subject"] for check in checks):
            own = [check for check in checks if check["subject"] == subject]
            fine = ", ".join(check["check"] for check in own if check["ok"])
            if fine:
                self._check(True, subject.ljust(width), fine)
            for check in own:
                if not check["ok"]:
                    seen = f"{check['check']}: {check['seen']} (expected: {check['expected']})"
                    self._check(False, subject.ljust(width), seen)

    def _check(self, ok: bool, subject: str, text: str) -> None:
        self._console.print(f"  {_MARKS[ok]}  {_shown(subject)}  {_shown(text)}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table."""
        self.rest()
        table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
        for column in columns:
            table.add_column(column, no_wrap=True)
        for row in rows:
            table.add_row(*(_shown(cell) for cell in row))
        self._console.print(table, soft_wrap=False, crop=False)


def _shown(text: str) -> str:
    """Return a text of one or more lines as it is: no markup of the console's, no signs for the terminal."""
    return escape("\n".join(map(one_line, text.split("\n"))))
