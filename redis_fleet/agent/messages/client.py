"""A client of a service on a machine: it verifies, or it writes and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..codec import Message, Request
from .service import ServiceAccess, ServiceView


@dataclass(frozen=True)
class Check(Message):
    """One thing that was looked at; ``subject`` is a process's id or the service's name.

    ``codes`` say what is wrong where that is one of the troubles of health.py.
    """

    check: str
    subject: str
    ok: bool
    seen: str
    expected: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checks(Message):
    """All checks of a service, in the order in which an operator would ask."""

    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Verify(Request[Checks]):
    """Prove that a service works; a canary key, written and removed again, is all that it changes."""

    verb = "verify"

    service: ServiceAccess


@dataclass(frozen=True)
class Tally(Message):
    """What the writer counted; ``write_gap_ms`` is the longest time between two acknowledged writes.

    ``refused`` counts tries without an acknowledgement; they come about every 50 ms while there is no master.
    ``acknowledged_lost`` is None when the key could not be read back; ``problem`` then says why, else it is empty.
    """

    acknowledged: int
    acknowledged_lost: Optional[int]
    refused: int
    write_gap_ms: int
    problem: str


@dataclass(frozen=True)
class Event(Message):
    """Something that the writer noted: ``event`` is started, master, refused, accepted, tick, tally or failed.

    ``time`` is its wall clock (seconds since 1970), ``at_ms`` counts from when it began. What belongs to the event:
    ``master`` and ``named_by`` (ids), ``reason``, ``gap_ms``, ``acknowledged`` and ``refused`` (so far), ``tally``.
    """

    event: str
    time: float
    at_ms: int
    master: str = ""
    named_by: str = ""
    reason: str = ""
    gap_ms: int = 0
    acknowledged: Optional[int] = None
    refused: Optional[int] = None
    tally: Optional[Tally] = None


@dataclass(frozen=True)
class Writing(Message):
    """What a writer has to know: its ``folder`` is absolute and closed to others, ``seconds`` bound its life.

    ``patience`` (seconds, 0: the usual half one) is how long it waits for an answer before it asks for another master.
    """

    service: ServiceAccess
    folder: str
    seconds: float
    patience: float = 0.0


@dataclass(frozen=True)
class ClientStarted(Message):
    """The folder of a writer that runs."""

    folder: str


@dataclass(frozen=True)
class ClientStart(Request[ClientStarted]):
    """Start a writer that outlives the request by at most ``seconds``; ``patience`` as in ``Writing``."""

    verb = "client-start"

    service: ServiceAccess
    seconds: float
    patience: float = 0.0


@dataclass(frozen=True)
class Look(Message):
    """One glance from the vantage: the writer's new events, where to read on, and the view of all processes."""

    events: tuple[Event, ...]
    offset: int
    view: ServiceView


@dataclass(frozen=True)
class ClientLook(Request[Look]):
    """Return what the writer of a ``folder`` (None: there is none) noted behind ``offset``, and the view of all."""

    verb = "client-look"

    service: ServiceAccess
    folder: Optional[str] = None
    offset: int = 0


@dataclass(frozen=True)
class ClientStopped(Message):
    """What the writer counted, None if it left nothing."""

    tally: Optional[Tally] = None


@dataclass(frozen=True)
class ClientStop(Request[ClientStopped]):
    """End the writer of a ``folder`` and remove its files."""

    verb = "client-stop"

    folder: str
