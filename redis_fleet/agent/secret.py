"""The one type of a secret, and how a text is shown without the secrets in it."""

from __future__ import annotations

from collections.abc import Iterable

MASK = "********"


class Secret:
    """A text that never prints itself, and that ``dataclasses.asdict`` and ``json`` cannot take apart.

    ``reveal()`` is the only way to it: called where it is sent, written, compared or judged, and nowhere else.
    """

    __slots__ = ("_value",)
    _value: str

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> str:
        """Return the clear text."""
        return self._value

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a secret does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (self._value,)

    def __repr__(self) -> str:
        return "Secret()"

    def __str__(self) -> str:
        return MASK


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets, the longest first: one may be a part of another."""
    for secret in sorted(set(secrets) - {""}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
