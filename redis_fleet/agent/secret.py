"""The one type of a secret, and how a text is shown without the secrets in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MASK = "********"


@dataclass(frozen=True)
class Secret:
    """A text that never prints itself.

    ``reveal()`` is the only way to it, and called only where AUTH is sent, a file is written, or a digest is made.
    """

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the clear text."""
        return self._value

    def __str__(self) -> str:
        return MASK


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets, the longest first: one may be a part of another."""
    for secret in sorted(set(secrets) - {""}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
