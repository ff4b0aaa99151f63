"""A process that is taken away on purpose for a while: killed, stopped or frozen."""

from __future__ import annotations

from dataclasses import dataclass

from ..codec import Message, Request
from .process import ManagedProcess

KILL, STOP, FREEZE = "kill", "stop", "freeze"
"""SIGKILL, a clean stop, SIGSTOP."""


@dataclass(frozen=True)
class KeptDown(Message):
    """How the process is kept down, in words."""

    words: str


@dataclass(frozen=True)
class Hold(Request[KeptDown]):
    """Take a process away (``how``: KILL, STOP, FREEZE) until ``Release``; a frozen one at most for ``seconds``."""

    verb = "hold"

    process: ManagedProcess
    how: str = KILL
    seconds: int = 0


@dataclass(frozen=True)
class Released(Message):
    """It was started, or goes on."""


@dataclass(frozen=True)
class Release(Request[Released]):
    """Let a process come back; ``server`` is the binary where nothing supervises, ``follow`` as in ``Starting``.

    ``how`` is how it was taken away: of a frozen one the file is not touched, it runs.
    """

    verb = "release"

    process: ManagedProcess
    server: str = ""
    follow: str = ""
    how: str = KILL
