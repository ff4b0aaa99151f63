"""A variable that a file beside a description gives a machine, and what no such file can tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from redis_fleet.problems import Position, UnreadableError

GROUP = "redis_fleet"
"""The group that Ansible has all machines of a description in."""

FOLDERS = ("group_vars", "host_vars")


@dataclass(frozen=True)
class Outer:
    """A variable that a file beside the description gives a machine: plain Python, its own templates filled in.

    ``secret``: something out of a vault is in it. ``position``: where it stands.
    """

    name: str
    value: Any = field(repr=False)
    secret: bool
    position: Position | None


def refuse_fact(name: str, position: Position | None = None) -> None:
    """Raise UnreadableError for what only a machine itself can tell: nobody has asked it yet."""
    if name in ("ansible_facts", "facts") or name.startswith("ansible_"):
        what = f"'{name}' is a fact of the machine, and no facts are gathered"
        remedy = "write 'maxmemory: 75%' for a share of its memory, other values below 'vars:' of each machine"
        raise UnreadableError(what, remedy, position)
