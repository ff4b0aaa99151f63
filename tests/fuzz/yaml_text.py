"""Writing YAML by hand: every text in double quotes unless it shall be plain, whatever becomes of it then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Plain(str):
    """A text that is written as it is."""


def quoted(text: str) -> str:
    """Return a text in double quotes, so that YAML reads back exactly that text."""
    return '"' + "".join(map(_letter, text)) + '"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if " " <= letter <= "~" or ("\xa1" <= letter <= "\ud7ff" and letter.isprintable()):
        return letter
    return f"\\U{ord(letter):08x}"


def written(value: Any, indent: int = 0) -> str:
    """Return a value as YAML: mappings in block style, lists and texts in flow style."""
    if isinstance(value, Plain):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        rows = (f"{' ' * indent}{_key(key)}: {written(item, indent + 2)}" for key, item in value.items())
        return ("\n" if indent else "") + "\n".join(rows)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(item, indent) for item in value) + "]"
    return str(value)


def _key(key: str) -> str:
    plain = isinstance(key, Plain) or (key.isascii() and key.replace("-", "").replace("_", "").isalnum())
    return str(key) if plain else quoted(key)
