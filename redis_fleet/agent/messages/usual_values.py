"""What the description says of the directives that are changed for the time while a master is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from ..codec import Message


@dataclass(frozen=True)
class UsualValues(Message):
    """What the description says of one member for the directives that are changed for the time; None: nothing.

    They are replica-priority, min-replicas-to-write and min-replicas-max-lag.
    """

    priority: Optional[str] = None
    min_replicas: Optional[str] = None
    max_lag: Optional[str] = None


Described = Mapping[str, UsualValues]
"""The usual values of the members, by id."""
