"""The master's role handed over: what a machine does of it, and the masters that were made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..codec import Message, Request
from .manual_master import ManualMaster
from .service import ServiceAccess
from .usual_values import UsualValues


@dataclass(frozen=True)
class Note(Message):
    """Something that happened on this machine, at a wall clock time (seconds since 1970)."""

    time: float
    text: str


@dataclass(frozen=True)
class Handover(Message):
    """How a hand-over ended. ``master``: the id of the new master, empty when nobody was promoted.

    ``undone``: everything is as it was before. ``problems`` are sentences; ``time`` is this machine's clock at the end.
    """

    master: str
    undone: bool
    problems: tuple[str, ...]
    notes: tuple[Note, ...]
    time: float


@dataclass(frozen=True)
class Elective(Message):
    """``why``: why the Sentinels cannot be asked to vote; empty where they can."""

    why: str = ""


@dataclass(frozen=True)
class MayElect(Request[Elective]):
    """Say whether an election for the succession of the master (id) could be won now; nothing is changed."""

    verb = "may-elect"

    service: ServiceAccess
    old: str


@dataclass(frozen=True)
class HandOver(Request[Handover]):
    """Hand the role of master over from one member (id) to another, without losing a write.

    With ``elect`` by an election among the Sentinels, else by a failover that one of them is told to do.
    """

    verb = "hand-over"

    service: ServiceAccess
    old: str
    new: str
    described: Mapping[str, UsualValues] = field(default_factory=dict)
    elect: bool = False


@dataclass(frozen=True)
class Promote(Request[Handover]):
    """Make a replica (id, empty: the one with the newest data) the master where no Sentinel watches."""

    verb = "promote"

    service: ServiceAccess
    new: str = ""


@dataclass(frozen=True)
class Priorities(Message):
    """What ``replica-priority`` was before, by the member's id."""

    before: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Prefer(Request[Priorities]):
    """Make a member (id) ready to take over, and the one that Sentinel promotes unless that is by election."""

    verb = "prefer"

    service: ServiceAccess
    new: str
    described: Mapping[str, UsualValues] = field(default_factory=dict)
    elect: bool = False


@dataclass(frozen=True)
class Restored(Message):
    """What did not succeed, each a sentence."""

    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RestorePriorities(Request[Restored]):
    """Give members their priorities back, by id."""

    verb = "restore-priorities"

    service: ServiceAccess
    priorities: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ManualMasters(Message):
    """The masters that were made by hand as this machine knows them, by service."""

    records: Mapping[str, ManualMaster] = field(default_factory=dict)


@dataclass(frozen=True)
class AskManualMasters(Request[ManualMasters]):
    """Say which masters were made by hand; ``path`` is the file of the notes."""

    verb = "manual-masters"

    path: str


@dataclass(frozen=True)
class NoteManualMaster(Request[ManualMasters]):
    """Note that the master of a service (``address:port``) was made one by hand; see runs/manual_masters.py."""

    verb = "note-manual-master"

    path: str
    service: str
    master: str
    number: int
