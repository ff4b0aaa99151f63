"""A master that was made one by hand, where no Sentinel knows of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..codec import Message


@dataclass(frozen=True)
class ManualMaster(Message):
    """Who was made the master of a service by hand.

    Its ``address:port``, how many times that was decided, and when last (seconds since 1970).
    """

    master: str
    number: int
    time: float = 0.0
