"""What is wrong with a description, said the same way everywhere: ``file:line: path: what is wrong; what to do``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; lines and columns count from 1, 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where, at which path of the description, what, and what to do about it.

    ``rule`` is the identifier of the rule that found it, if one did. A ``warning`` keeps nobody from deploying.
    """

    position: Position
    path: str
    what: str
    remedy: str
    rule: str = ""
    warning: bool = False

    def __str__(self) -> str:
        path = f" {self.path}:" if self.path else ""
        return one_line(f"{self.position}:{path} {self.what}; {self.remedy}{self._mark}")

    @property
    def _mark(self) -> str:
        name = f"warning {self.rule}".rstrip() if self.warning else self.rule
        return f" [{name}]" if name else ""

    def row(self) -> dict[str, str]:
        """Return it as the row of a JSON answer; ``severity`` is ``error`` or ``warning``."""
        return {
            "position": str(self.position),
            "path": self.path,
            "what": self.what,
            "remedy": self.remedy,
            "rule": self.rule,
            "severity": "warning" if self.warning else "error",
        }


class InvalidDescriptionError(Exception):
    """A description cannot be used; carries every problem found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Sort the problems and make them the message, one a line."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnreadableError(Exception):
    """A text of a description cannot be expanded: ``what`` is wrong and the ``remedy``.

    ``position`` is where that stands, if not where the text does.
    """

    def __init__(self, what: str, remedy: str, position: Position | None = None) -> None:
        """Keep both halves of the message."""
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy
        self.position = position


def one_line(text: str) -> str:
    """Escape what is no printable letter, nor UTF-8: values may hold breaks and a terminal's signs."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
