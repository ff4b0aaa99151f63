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

# A file or a pipe has no width to fit into.
_WIDE = 240
_MARKS = {True: "[green]ok[/]", False: "[red]failed[/]"}


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
        self._console.print(escape(text), style=style)

    def fail(self, text: str) -> None:
        """Print an error to standard error."""
        self.rest()
        Console(stderr=True, highlight=False, soft_wrap=True).print(escape(text), style="red")

    def doing(self, text: str) -> None:
        """Show what goes on: a spinner on a terminal, a line elsewhere."""
        if not self._console.is_terminal:
            self.say(f"… {text}")
            return
        if self._status is None:
            self._status = self._console.status(escape(text))
            self._status.start()
        else:
            self._status.update(escape(text))

    def rest(self) -> None:
        """Take the spinner away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def json(self, value: Any) -> None:
        """Print the one JSON object of a command."""
        self.rest()
        json.dump(value, sys.stdout, indent=2)
        sys.stdout.write("\n")

    def plan(self, plan: Mapping[str, Any]) -> None:
        """Print a plan, grouped by machine; numbers give the order over all machines."""
        self.rest()
        for name, agreed in plan["masters"].items():
            if agreed["master"]:
                self._console.print(f"[bold]{escape(name)}[/]: master {agreed['master']}  ({escape(agreed['source'])})")
        for note in plan["notes"]:
            self.say(f"note: {note}", "yellow")
        steps = [(number, step) for number, step in enumerate(plan["steps"], start=1)]
        for machine in dict.fromkeys(step["machine"] for _, step in steps):
            self._console.print(f"\n[bold]{escape(machine)}[/]")
            for number, step in steps:
                if step["machine"] == machine:
                    self._console.print(f"  {number:3}. {escape(step['what'])}")
                    self._console.print(f"       {escape(step['reason'])}", style="dim")
        if not steps and not plan["refusals"]:
            self.say("nothing to do", "green")

    def checks(self, service: str, checks: Sequence[Mapping[str, Any]]) -> None:
        """Print the checks of a verification; for a failed one what was expected."""
        self.rest()
        self._console.print(f"\n[bold]{escape(service)}[/]")
        for check in checks:
            seen = f"{check['seen']}" if check["ok"] else f"{check['seen']} (expected: {check['expected']})"
            line = (
                f"  {_MARKS[check['ok']]:16}  {escape(check['subject']):24}  {escape(check['check'])}: {escape(seen)}"
            )
            self._console.print(line)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table."""
        self.rest()
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, no_wrap=True)
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self._console.print(table, soft_wrap=False, crop=False)
