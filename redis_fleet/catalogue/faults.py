"""What is wrong with a value, where there is more to say than that."""

from __future__ import annotations

from typing import Self


class Fault(str):
    """What is wrong, with a hint behind it: as a text both, with ``what`` and ``hint`` each alone."""

    what: str
    hint: str

    def __new__(cls, what: str, hint: str) -> Self:
        """Put both into one text."""
        made = super().__new__(cls, f"{what}; {hint}")
        made.what, made.hint = what, hint
        return made


def halves(wrong: str, hint: str = "") -> tuple[str, str]:
    """Return what is wrong and its own hint, or this one where it has none."""
    return (wrong.what, wrong.hint) if isinstance(wrong, Fault) else (wrong, hint)
