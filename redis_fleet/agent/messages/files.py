"""Files, folders and links that a machine is to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..codec import Message, Request
from ..secret import Secret


@dataclass(frozen=True)
class Folder(Message):
    """A folder; a ``shared`` one is made when missing, else left as it is. An empty owner leaves the owner as it is."""

    path: str
    owner: str
    mode: int
    shared: bool = False


@dataclass(frozen=True)
class File(Message):
    """A file; its whole content is taken for a secret."""

    path: str
    content: Secret
    owner: str
    mode: int


@dataclass(frozen=True)
class Edit(Message):
    """A directive under all its ``names``, and the words of the ``lines`` that it is to have; none: it goes."""

    names: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Link(Message):
    """A symbolic link."""

    path: str
    target: str


@dataclass(frozen=True)
class Files(Message):
    """What a machine is to have; where it is ``supervised``, units among the files are enabled.

    ``gone`` are folders that it is not to have any more, with all that is in them. ``programs`` are files of Python
    among the others: who is new keeps what it compiled, so that it starts fast when it is needed.
    """

    supervised: bool
    folders: tuple[Folder, ...] = ()
    files: tuple[File, ...] = ()
    links: tuple[Link, ...] = ()
    gone: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Put(Message):
    """What was changed (paths), and the SHA-256 of each file by path; None for one that cannot be read."""

    changed: tuple[str, ...] = ()
    fingerprints: Mapping[str, Optional[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared(Message):
    """What was written (paths) and installed (packages)."""

    written: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepare(Request[Prepared]):
    """Put ``files``, then install what is missing of ``packages``."""

    verb = "prepare"

    files: Files
    packages: tuple[str, ...] = ()
