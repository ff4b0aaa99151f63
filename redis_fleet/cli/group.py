"""A command with commands of its own, whose help says in full what each is for."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

# Letters that no first sentence has: click takes 45 and ends with dots.
_WHOLE = 1000


class Group(TyperGroup):
    """Lists its commands on as many lines as it takes."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write name and first sentence of each command; the classes that typer passes differ between its releases."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(limit=_WHOLE)) for name, each in commands if each])
