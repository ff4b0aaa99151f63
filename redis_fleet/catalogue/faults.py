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


class Taken(Fault):
    """What is wrong with a value that the server starts with all the same; it is refused for what becomes of it.

    ``meant`` is the word that the server makes of it, empty where there is none to name.
    """

    meant: str

    def __new__(cls, what: str, hint: str, meant: str = "") -> Self:
        """Put what and hint into one text."""
        made = super().__new__(cls, what, hint)
        made.meant = meant
        return made


def taken_for(what: str, meant: object) -> Taken:
    """Say that the server takes a wrong value for another one."""
    return Taken(f"{what}: the server takes it for {meant}", f"write {meant}", str(meant))
