"""The lock of a deployment on one machine, and the log of who did what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..codec import Message, Request


@dataclass(frozen=True)
class Run(Message):
    """A run: ``id`` is random, ``owner`` who started it where, ``time`` when (UTC), ``verb`` what for.

    The rest is what its controller recognises it by: ``pid`` and ``started`` (ticks since the boot) of its first
    process, ``boot`` of the kernel and pid namespace, ``shared``, a file that all its processes have open.
    """

    id: str
    owner: str
    time: str = ""
    verb: str = ""
    pid: int = 0
    started: int = 0
    boot: str = ""
    shared: str = ""


@dataclass(frozen=True)
class LoggedStep(Message):
    """A step as the log has it, what it does not have left out; nothing secret."""

    number: Optional[int] = None
    process: Optional[str] = None
    how: Optional[str] = None
    what: Optional[str] = None
    reason: Optional[str] = None


@dataclass(frozen=True)
class Begun(Message):
    """Whether the lock was ``taken``; ``holder`` has it instead. ``moved``: another run was here meanwhile."""

    taken: bool
    holder: Optional[Run] = None
    moved: bool = False


@dataclass(frozen=True)
class Begin(Request[Begun]):
    """Take the lock and note the beginning. ``lock`` and ``journal`` are paths.

    ``take_over`` is the id of a run whose lock may be taken. ``seen`` is what ``last_run`` was when the steps were
    planned (None: nothing was looked at before); when it is another one by now, nothing is taken.
    """

    verb = "begin"

    lock: str
    journal: str
    run: Run
    take_over: str = ""
    seen: Optional[str] = None
    steps: tuple[LoggedStep, ...] = ()


@dataclass(frozen=True)
class Ended(Message):
    """Who had the lock and gave it back, and who has it now."""

    given: Optional[Run] = None
    holder: Optional[Run] = None


@dataclass(frozen=True)
class End(Request[Ended]):
    """Note the end and give the lock back; safe to repeat. An empty ``run`` (id) stands for whatever run holds it."""

    verb = "end"

    lock: str
    journal: str
    run: str = ""
    result: str = ""
    message: str = ""


@dataclass(frozen=True)
class Held(Message):
    """Who holds the lock."""

    holder: Optional[Run] = None


@dataclass(frozen=True)
class ShowLock(Request[Held]):
    """Say who holds the lock."""

    verb = "show-lock"

    lock: str
