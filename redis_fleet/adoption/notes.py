"""Remarks for the person who imports: what was not carried over, and what was assumed."""

from __future__ import annotations

from dataclasses import dataclass, field

from redis_fleet.adoption.found import Statement
from redis_fleet.problems import Position, one_line


@dataclass
class Notes:
    """Gathers remarks in the order they come up, each one once."""

    texts: list[str] = field(default_factory=list)

    def add(self, place: Position | Statement | None, text: str) -> None:
        """Add a remark on a place; without one it is about the whole import."""
        position = place.position if isinstance(place, Statement) else place
        line = one_line(f"{position}: {text}" if position else text)
        if line not in self.texts:
            self.texts.append(line)


def at(other: Statement, beside: Statement) -> str:
    """Name another statement's place, briefly where it stands in the same file."""
    same = other.position.file == beside.position.file
    return f"line {other.position.line}" if same else str(other.position)
