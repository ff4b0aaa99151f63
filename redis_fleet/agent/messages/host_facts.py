"""What a machine is, before anything is put on it: memory, disks, kernel, ports, network, clock.

What could not be read is None or empty; no secret goes either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..codec import Message, Request
from ..endpoint import Endpoint
from .observation import HostState, ObservedHost, Text


@dataclass(frozen=True)
class FolderFacts(Message):
    """What holds for a folder, or for the nearest folder above it that exists (``existing``).

    ``free`` and ``size`` are bytes of the filesystem, ``held`` those that the folder's own files have of it;
    ``files_free`` counts inodes (None: the filesystem has no fixed number). ``type`` and ``mount`` say which filesystem
    it is. ``writable``: by root, ``by_user``: by the processes' user (None: there is none, or no folder yet).
    """

    existing: str
    free: int
    size: int
    files_free: Optional[int]
    held: int
    type: str
    mount: str
    read_only: bool
    no_exec: bool
    folder: bool
    writable: bool
    by_user: Optional[bool]


@dataclass(frozen=True)
class FileFacts(Message):
    """Whether a file or folder is there, and whether the processes' user may read it (None: there is no such user)."""

    there: bool
    readable: Optional[bool] = None
    no_exec: bool = False


@dataclass(frozen=True)
class Listener(Message):
    """Who listens on a port; ``pid`` 0: not seen. ``ours``: its unit is marked as one of this deployment."""

    address: str
    port: int
    pid: int
    program: str
    unit: str
    ours: bool


@dataclass(frozen=True)
class Reached(Message):
    """What became of a connection: ``open``, ``refused``, ``no answer``, or an error."""

    address: str
    port: int
    state: str


@dataclass(frozen=True)
class Reaching(Message):
    """What became of the connections that were asked for, in their order."""

    reached: tuple[Reached, ...] = ()


@dataclass(frozen=True)
class Reach(Request[Reaching]):
    """Connect to each of ``targets`` and send nothing; ``seconds`` bounds all connections."""

    verb = "reach"

    targets: tuple[Endpoint, ...] = ()
    seconds: float = 2.0


@dataclass(frozen=True)
class SystemdState(Message):
    """What systemd says of itself, and which units failed."""

    state: str
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Memory(Message):
    """Bytes. ``limit`` is that of the cgroup that services are in (None: none), ``ours`` what the deployment holds."""

    total: Optional[int]
    available: Optional[int]
    swap: int
    swap_used: int
    swappiness: Optional[int]
    limit: Optional[int]
    ours: int


@dataclass(frozen=True)
class Cores(Message):
    """How many cores a machine may use, and the quota of its cgroup in cores (None: none)."""

    count: int
    quota: Optional[float] = None


@dataclass(frozen=True)
class Clock(Message):
    """The machine's time of day at the beginning and the end, in seconds since 1970."""

    begin: float
    end: float


@dataclass(frozen=True)
class HostFacts(HostState):
    """A machine's facts; ``units`` are properties of the processes' own ones, ``candidates`` what is on offer.

    ``links`` are configuration files that are symbolic links, ``lists``: the package lists have been read once.
    ``withheld`` are the namespaces (``user``, ``mount``) that the machine gives to nobody.
    """

    python: tuple[int, ...] = ()
    root: bool = False
    virtual: str = ""
    systemd: Optional[SystemdState] = None
    units: Mapping[str, Text] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    memory: Memory = Memory(None, None, 0, 0, None, None, 0)
    cores: Cores = Cores(1)
    open_files: Optional[int] = None
    folders: Mapping[str, FolderFacts] = field(default_factory=dict)
    needed: Mapping[str, FileFacts] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] = ()
    addresses: Mapping[str, bool] = field(default_factory=dict)
    own_addresses: tuple[str, ...] = ()
    candidates: Mapping[str, Optional[str]] = field(default_factory=dict)
    lists: bool = False
    time_services: tuple[str, ...] = ()
    reach: tuple[Reached, ...] = ()
    clock: Clock = Clock(0.0, 0.0)


@dataclass(frozen=True)
class AskHostFacts(Request[HostFacts]):
    """Look at a machine. Changes nothing.

    ``units`` are the processes' own, ``user`` is whom they run as; ``configurations`` are files of ours, ``needed``
    files that must be there already, ``addresses`` should be its own, ``targets`` processes elsewhere; ``seconds``
    bounds all connections.
    """

    verb = "host-facts"

    host: ObservedHost
    deployment: str
    user: str
    units: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    configurations: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    addresses: tuple[str, ...] = ()
    targets: tuple[Endpoint, ...] = ()
    seconds: float = 2.0
