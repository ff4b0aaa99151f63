"""Append-only files: which ones a server has, and the commands in them.

Up to Redis 6.2 there is one file. Since 7.0 there is a folder with a manifest, a base and what came after it
(https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/, "Log rewriting"). The commands in them
are written as clients send them; a base is a snapshot in the format of dump.rdb unless aof-use-rdb-preamble is no.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from .text import split

_LINE = re.compile(rb"([*$])(\d{1,10})\r\n")
_NOTE = re.compile(rb"#[^\r\n]*\r\n")
_RDB = (b"REDIS", b"VALKEY")
Command = tuple[bytes, ...]


class Layout(NamedTuple):
    """Where the append-only files of a server are.

    ``check`` is what redis-check-aof wants to be given: the manifest, or the one file; ``files`` are all that hold
    data, in their order; ``last`` is the one that was written to, whose end a crash may have damaged.
    """

    check: Path
    files: list[Path]
    last: Path

    @property
    def whole(self) -> Path:
        """What a backup has to keep: the folder, or the one file."""
        return self.check.parent if self.check != self.last else self.check

    @property
    def size(self) -> int:
        """How many bytes all files have together."""
        return sum(each.stat().st_size for each in self.files)


class Contents(NamedTuple):
    """The commands at the beginning of a file, and how many bytes of it they are; what follows is no command."""

    commands: list[Command]
    good: int


def layout(data: Path, name: str, folder: str) -> Layout | None:
    """Return the files in a data folder, by ``appendfilename`` and ``appenddirname``; None when there are none.

    A server that is about to be upgraded still has its one file. Raises ValueError for a manifest that cannot be read
    or names a file that is not there, OSError.
    """
    manifest = data / folder / (name + ".manifest")
    if folder and manifest.is_file():
        files = [manifest.parent / each for each in manifest_files(manifest.read_text(encoding="utf-8"))]
        missing = [each.name for each in files if not each.is_file()]
        if missing or not files:
            raise ValueError(f"{manifest} names {', '.join(missing) or 'no file'}, which is not there")
        return Layout(manifest, files, files[-1])
    if folder and manifest.parent.is_dir() and any(manifest.parent.iterdir()):
        raise ValueError(f"{manifest} is missing: the server would start empty")
    single = data / name
    return Layout(single, [single], single) if single.is_file() else None


def manifest_files(text: str) -> list[str]:
    """Return the names of the files that hold data, base first, then what came after it; raises ValueError.

    A line is ``file NAME seq N type T``, in any order; type is ``b`` (base), ``i`` or ``h`` (history: to be deleted).
    """
    rows = []
    for line in text.splitlines():
        words = split(line)
        if words and not words[0].startswith("#"):
            rows.append(dict(zip(words[::2], words[1::2])))
    try:
        kept = [(row["type"] != "b", int(row["seq"]), row["file"]) for row in rows if row["type"] != "h"]
    except KeyError as error:
        raise ValueError(f"a line of the manifest has no {error}") from None
    return [name for _, _, name in sorted(kept)]


def read(data: bytes, start: int = 0) -> Contents:
    """Read commands from ``start`` on, as far as they go; timestamps (aof-timestamp-enabled) are passed over."""
    found: list[Command] = []
    position = start
    while True:
        note = _NOTE.match(data, position)
        if note:
            position = note.end()
            continue
        command, after = _command(data, position)
        if command is None:
            return Contents(found, position)
        found.append(command)
        position = after


def _command(data: bytes, position: int) -> tuple[Command | None, int]:
    head = _LINE.match(data, position)
    if head is None or head.group(1) != b"*" or not int(head.group(2)):
        return None, position
    words = []
    place = head.end()
    for _ in range(int(head.group(2))):
        length = _LINE.match(data, place)
        if length is None or length.group(1) != b"$":
            return None, position
        begin, end = length.end(), length.end() + int(length.group(2))
        if data[end : end + 2] != b"\r\n":
            return None, position
        words.append(data[begin:end])
        place = end + 2
    return tuple(words), place


def behind(data: bytes) -> int:
    """Return how many whole commands are in something that begins with damage: what would be thrown away with it."""
    count, position = 0, 0
    while True:
        position = data.find(b"*", position)
        if position < 0:
            return count
        found = read(data, position)
        count += len(found.commands)
        position = max(found.good, position + 1)


def is_snapshot(path: Path) -> bool:
    """Say whether a file begins as a snapshot, not with commands."""
    with path.open("rb") as file:
        return file.read(6).startswith(_RDB)
