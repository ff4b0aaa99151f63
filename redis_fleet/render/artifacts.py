"""What a deployment puts on a machine: files, folders and links, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["configuration", "unit", "kernel", "program", "knowledge", "key", "certificate"]


@dataclass(frozen=True)
class File:
    """One file: absolute path, bytes, owner (also its group) and mode; ``process`` is the one that it serves."""

    path: str
    content: bytes
    purpose: Purpose
    owner: str = "root"
    mode: int = 0o644
    process: str = ""


@dataclass(frozen=True)
class Folder:
    """One folder of a process: absolute path, owner (also its group) and mode; ``shared``: made, but never changed."""

    path: str
    owner: str
    mode: int = 0o750
    shared: bool = False
