"""A process that is killed on purpose and kept down for a while."""

from __future__ import annotations

from dataclasses import dataclass

from ..codec import Message, Request
from .process import ManagedProcess


@dataclass(frozen=True)
class KeptDown(Message):
    """How the process is kept down, in words."""

    words: str


@dataclass(frozen=True)
class Hold(Request[KeptDown]):
    """Kill a process (SIGKILL) and keep it down until ``Release``."""

    verb = "hold"

    process: ManagedProcess


@dataclass(frozen=True)
class Released(Message):
    """It was started."""


@dataclass(frozen=True)
class Release(Request[Released]):
    """Let a process come back; ``server`` is the binary where nothing supervises, ``follow`` as in ``Starting``."""

    verb = "release"

    process: ManagedProcess
    server: str = ""
    follow: str = ""
