"""Processes that are started, restarted, waited for, repaired and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..codec import Message, Request
from ..endpoint import Endpoint
from .files import Edit, Files
from .observation import Observation, ObservedHost
from .process import ManagedProcess


@dataclass(frozen=True)
class Starting(Message):
    """A process that is to be started.

    ``expect`` is what it is then: ``master``, ``replica`` or ``sentinel``. ``follow`` is ``ADDRESS PORT``, ``none``, or
    empty to leave its file as it is; ``fresh``: it never ran.
    """

    process: ManagedProcess
    expect: str
    edit: tuple[Edit, ...] = ()
    follow: str = ""
    fresh: bool = False


@dataclass(frozen=True)
class Started(Message):
    """Paths that were written and names of processes that were started."""

    written: tuple[str, ...] = ()
    started: tuple[str, ...] = ()


@dataclass(frozen=True)
class Start(Request[Started]):
    """Put ``files``, start ``processes``, replicas last, and wait for each.

    ``server`` is the binary where nothing supervises, ``timeout`` is in seconds.
    """

    verb = "start"

    files: Files
    processes: tuple[Starting, ...] = ()
    server: str = ""
    timeout: float = 60.0


@dataclass(frozen=True)
class Peers(Message):
    """How many replicas and other Sentinels a Sentinel has to know of one master."""

    replicas: int
    sentinels: int


@dataclass(frozen=True)
class Restarted(Message):
    """What is different now, one text each, and how long the process was away, in seconds."""

    changed: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Restart(Request[Restarted]):
    """Stop ``process``, apply ``edit``, ``follow`` and ``parts``, and start it again.

    ``expect`` is what it must be: ``replica``, ``master`` or ``sentinel``. ``needed`` is how many of the ``others``
    must be replicas in step with the master before, and with a master that was restarted also after; ``masters`` is
    what a Sentinel must know, by name. ``server`` is the binary where nothing supervises, ``timeout`` bounds the stop
    and the start, each, ``patience`` the wait for the others before them, in seconds.
    """

    verb = "restart"

    process: ManagedProcess
    expect: str
    edit: tuple[Edit, ...] = ()
    parts: Files = field(default_factory=lambda: Files(False))
    follow: str = ""
    others: tuple[Endpoint, ...] = ()
    needed: int = 0
    masters: Mapping[str, Peers] = field(default_factory=dict)
    server: str = ""
    patience: float = 0.0
    timeout: float = 60.0


@dataclass(frozen=True)
class InSync(Message):
    """What was seen last, and what is ``amiss`` even so, one sentence each.

    ``restored`` are the servers whose synchronisation had no delay and has again.
    """

    observation: Observation
    amiss: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()


@dataclass(frozen=True)
class WaitInSync(Request[InSync]):
    """Look until nothing is amiss or ``timeout`` seconds have passed.

    ``masters`` is what a Sentinel must know, by name; ``delays`` the described delay of a server's first
    synchronisation, by its name; ``host`` and ``sensitive`` as in ``Observe``.
    """

    verb = "wait-in-sync"

    processes: tuple[ManagedProcess, ...] = ()
    host: Optional[ObservedHost] = None
    sensitive: tuple[str, ...] = ()
    masters: Mapping[str, Peers] = field(default_factory=dict)
    delays: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0


@dataclass(frozen=True)
class Leaving(Message):
    """A process that is no longer part of the deployment.

    With ``purge`` its unit, the folder of its configuration, its data and its logs are removed too.
    """

    process: ManagedProcess
    purge: bool = False


@dataclass(frozen=True)
class Decommissioned(Message):
    """What was done, one text each."""

    done: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decommission(Request[Decommissioned]):
    """Stop each of ``processes`` cleanly and keep it from coming back; ``timeout`` bounds each stop, in seconds."""

    verb = "decommission"

    processes: tuple[Leaving, ...] = ()
    timeout: float = 60.0


@dataclass(frozen=True)
class Repaired(Message):
    """The damaged ``file``, its ``size`` and what was ``cut`` off (bytes, and whole ``commands`` in them).

    ``backup`` is the path of the copy, ``keys`` how many there are afterwards.
    """

    file: str
    size: int
    cut: int
    commands: int
    backup: str
    keys: int = 0


@dataclass(frozen=True)
class Repair(Request[Repaired]):
    """Repair the append-only file of ``process``, which is down, and start it.

    ``server`` is the path of its program; ``follow`` as in ``Starting``; ``discard`` allows whole commands to be thrown
    away; ``timeout`` is in seconds.
    """

    verb = "repair"

    process: ManagedProcess
    server: str
    follow: str = ""
    discard: bool = False
    timeout: float = 600.0
