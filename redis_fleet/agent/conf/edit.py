"""Edit the configuration file of a stopped process: some directives change, every other line stays as it is.

While a process runs it owns its file; what is written then is undone by its next CONFIG REWRITE.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..host.files import replace
from ..messages.files import Edit
from .text import quote, split

_DEFAULT_USER = ("user default",)


def edit(path: Path, changes: Sequence[Edit]) -> bool:
    """Apply changes to a file, whole or not at all, mode and owner kept; says whether it is another one now.

    The names of a change are the directive's name, then its aliases; several words for Sentinel's, such as
    ``sentinel notification-script orders``. A line is the words behind the name.
    """
    found = path.stat()
    old = path.read_bytes()
    new = edited(old.decode("utf-8", "surrogateescape"), changes).encode("utf-8", "surrogateescape")
    if new == old:
        return False
    replace(path, new, "", found.st_mode & 0o777, like=found)
    return True


def edited(text: str, changes: Sequence[Edit]) -> str:
    """Return the text of a file with these changes, done in their order; blank lines at its end are dropped.

    New lines stand where the first of the old ones stood, or at the end. With a new ``requirepass`` the lines of
    ``user default``, which the server itself adds and obeys instead of requirepass, go.
    """
    lines = text.split("\n")
    if any("requirepass" in change.names for change in changes):
        lines = [line for line in lines if not names_one(line, _DEFAULT_USER)]
    for change in changes:
        lines = _changed(lines, change)
    while lines and not lines[-1].strip(" \t\r"):
        lines.pop()
    return "\n".join([*lines, ""])


def _changed(lines: list[str], change: Edit) -> list[str]:
    names = change.names
    new = [" ".join([names[0], *map(quote, words)]) for words in change.lines]
    if "user" in names:
        # Those of other users are somebody's; one with a name alone goes.
        names = tuple(f"user {words[0]}" for words in change.lines)
        new = [line for line, words in zip(new, change.lines) if len(words) > 1]
    places = [number for number, line in enumerate(lines) if names_one(line, names)]
    if not places:
        while new and lines and not lines[-1].strip(" \t\r"):
            lines = lines[:-1]
        return lines + new
    kept = [line for number, line in enumerate(lines) if number not in places]
    return kept[: places[0]] + new + kept[places[0] :]


def names_one(line: str, names: Sequence[str]) -> bool:
    """Say whether a line is of one of these directives; a comment, and a line that no server can read, is of none."""
    try:
        words = list(split(line))
    except ValueError:
        return False
    return bool(words) and any(_fold(words[: len(name.split())]) == _fold(name.split()) for name in names)


def _fold(words: list[str]) -> list[str]:
    """Return words as they are compared: a directive's own (two with ``sentinel``) in any case, a master's name not."""
    own = 2 if words and words[0].lower() == "sentinel" else 1
    return [word.lower() for word in words[:own]] + words[own:]


def follow(path: Path, master: str) -> None:
    """Make the file of a stopped process name this master: ``none`` or ``ADDRESS PORT``; every other line stays."""
    edit(path, following(master))


def following(master: str) -> list[Edit]:
    """Return the changes that make a file name this master; its line stands at the end, where the server adds it."""
    gone = Edit(("replicaof", "slaveof"))
    return [gone] if master == "none" else [gone, Edit(("replicaof",), (tuple(master.split()),))]
