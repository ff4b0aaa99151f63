"""Lists of lines that several files have, brought side by side."""

from __future__ import annotations

from collections.abc import Sequence

from redis_fleet.adoption.texts import Text

# What a line is about is its first word: the user, the command that is renamed.
_Key = tuple[str, int]


def aligned(rows: Sequence[Sequence[Text]]) -> list[list[Text | None]]:
    """Return for each line what every file has of it, None where it has none.

    Lines are one that are about the same, by their first word. Their order is that of the first file; what only
    later ones have stands behind what stands before it there.
    """
    keyed = [dict(zip(_keys(row), row, strict=True)) for row in rows]
    order: list[_Key] = []
    for row in keyed:
        at = 0
        for key in row:
            if key in order:
                at = order.index(key) + 1
            else:
                order.insert(at, key)
                at += 1
    return [[row.get(key) for row in keyed] for key in order]


def _keys(row: Sequence[Text]) -> list[_Key]:
    words = [each.clear.split(" ", 1)[0].lower() for each in row]
    return [(word, words[:count].count(word)) for count, word in enumerate(words)]
