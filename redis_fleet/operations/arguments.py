"""What somebody asked an operation for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Arguments:
    """What somebody asked for, by name; a variable of Ansible's command line is always a text."""

    given: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a text, empty where nothing was given."""
        found = self.given.get(name)
        return "" if found is None else str(found)

    def truth(self, name: str, *, default: bool = False) -> bool:
        """Return a truth, also from the words for one."""
        return str(self.given.get(name, default)).lower() in ("true", "yes", "1", "on")

    def number(self, name: str, default: float) -> float:
        """Return a number; raises ValueError where it is none."""
        return float(self.given.get(name, default))
