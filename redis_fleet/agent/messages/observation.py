"""What is asked of one machine before a plan, and what there is to know of it. Secrets come back as digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Optional

from .. import engine_words
from ..codec import Message, Request
from ..endpoint import Endpoint
from .certificates import CertificateFacts
from .kind import Kind
from .manual_master import ManualMaster
from .process import ManagedProcess

Text = Mapping[str, str]
_BEGINNING = 3


@dataclass(frozen=True)
class MasterView(Message):
    """What one Sentinel says of one master: SENTINEL MASTER, REPLICAS, SENTINELS and CKQUORUM."""

    master: Text
    replicas: tuple[Text, ...]
    sentinels: tuple[Text, ...]
    quorum: str

    @property
    def endpoint(self) -> Endpoint:
        """The address that this Sentinel holds for the master."""
        return Endpoint(self.master["ip"], int(self.master["port"]))

    @property
    def flags(self) -> frozenset[str]:
        """Its flags: ``master``, ``s_down``, ``o_down``, ``failover_in_progress`` …"""
        return engine_words.flags(self.master.get("flags", ""))


@dataclass(frozen=True)
class ProcessFacts(Message):
    """What was seen of one process.

    ``lines`` are its configuration file's directives (None: there is no file), ``file_error`` says why they cannot be
    read. ``error`` says why it did not answer, ``error_code`` what a server said it by (see login.py), if one did.
    ``open`` is whether it took an unauthenticated PING (None: it could not be reached). ``opened_by`` says which
    password opens it to the default user: the ``described`` one, the one ``filed`` in its configuration, ``none``
    (empty: nothing does). ``as_own``: it was looked at as the user that redis-fleet has for itself.
    ``passwords`` counts those that it takes (None: it does not say). ``users`` are the lines of ACL LIST, names and
    rules (None: it does not say), ``categories`` the commands of each; empty where no rule needs them. Secrets are
    digests. ``free`` is the room that its data folder has, in bytes (None: there is no such folder). ``paused``: what
    a write would need is not answered, as after CLIENT PAUSE. ``damaged``: it ended because its append-only file
    cannot be read. ``tls`` is None for a process that is to speak none. ``links`` are who is connected as which user,
    each pair once: ``replica``, ``sentinel`` or ``client``; nothing where redis-fleet has no user of its own.
    """

    answers: bool = False
    error: Optional[str] = None
    error_code: str = ""
    open: Optional[bool] = None
    opened_by: str = "described"
    passwords: Optional[int] = None
    pid: int = 0
    lines: Optional[tuple[tuple[str, ...], ...]] = None
    file_error: Optional[str] = None
    data: Optional[tuple[str, ...]] = None
    unit: Text = field(default_factory=dict)
    config: Text = field(default_factory=dict)
    info: Text = field(default_factory=dict)
    role: Sequence[Any] = ()
    masters: Mapping[str, MasterView] = field(default_factory=dict)
    users: Optional[tuple[tuple[str, ...], ...]] = None
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    free: Optional[int] = None
    paused: bool = False
    damaged: bool = False
    tls: Optional[CertificateFacts] = None
    as_own: bool = False
    links: tuple[tuple[str, str], ...] = ()

    @property
    def deployed(self) -> bool:
        """Whether its configuration file exists."""
        return self.lines is not None

    @property
    def role_name(self) -> str:
        """``master``, ``replica``, ``sentinel``, or nothing when it does not answer."""
        return engine_words.role(self.role[0] if self.role else self.info.get("role", ""))

    @property
    def follows(self) -> Optional[Endpoint]:
        """The master that a running replica follows."""
        return Endpoint(str(self.role[1]), int(self.role[2])) if self.role_name == "replica" else None

    @property
    def follows_by_file(self) -> Optional[Endpoint]:
        """The master that its file names: whom it would follow when it is started."""
        for name, *words in self.lines or ():
            if name in ("replicaof", "slaveof") and len(words) == 2 and words[1].isdecimal():
                return Endpoint(words[0], int(words[1]))
        return None

    def lines_of(self, *words: str) -> tuple[tuple[str, ...], ...]:
        """Return the lines of its file that begin with these words, at most three: found without a search."""
        return self._by_beginning.get(words, ())

    def value_of(self, directive: str) -> str:
        """Return what a running server has of a directive (``replica-announce-ip``), empty where nothing."""
        return self.config.get(directive, self.config.get(directive.replace("replica-", "slave-"), ""))

    def word_of(self, directive: str) -> str:
        """Return what its file says behind a directive (``dir``, ``sentinel announce-ip``), empty where nothing."""
        for name in (directive, directive.replace("replica-", "slave-")):
            lines = self.lines_of(*name.split())
            if lines and len(lines[-1]) > len(name.split()):
                return lines[-1][len(name.split())]
        return ""

    @cached_property
    def _by_beginning(self) -> Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for line in self.lines or ():
            for count in range(1, min(len(line), _BEGINNING) + 1):
                found.setdefault(line[:count], []).append(line)
        return {words: tuple(lines) for words, lines in found.items()}

    def watches(self, name: str) -> bool:
        """Whether it is a Sentinel that knows this master, or did when it last ran."""
        return name in self.masters or (self.started_once and bool(self.lines_of("sentinel", "monitor", name)))

    @property
    def keys(self) -> int:
        """How many keys it holds, over all databases."""
        spaces = [value for name, value in self.info.items() if name.startswith("db") and "keys=" in value]
        return sum(int(value.split("keys=", 1)[1].split(",", 1)[0]) for value in spaces)

    @property
    def engine(self) -> str:
        """What runs: a sandbox may have the other engine's binary than the description names."""
        return "valkey" if "valkey_version" in self.info else "redis"

    @property
    def version(self) -> str:
        """The version that it runs; Valkey's own, not the Redis version that it claims for old clients."""
        return self.info.get("valkey_version") or self.info.get("redis_version", "")

    @property
    def started_once(self) -> bool:
        """Whether it ever ran: a Sentinel writes its epoch, a server leaves something in its folder."""
        if self.answers or self.pid:
            return True
        return bool(self.data) or bool(self.lines_of("sentinel", "current-epoch"))


@dataclass(frozen=True)
class Undescribed(Message):
    """A process of the deployment that its description does not have (any more); its ``access`` has no secret.

    ``process.data`` is the folder itself; its port is 0 when it has no file. ``enabled`` is whether it would come back
    after a reboot.
    """

    process: ManagedProcess
    facts: ProcessFacts
    enabled: bool = False


@dataclass(frozen=True)
class HostState(Message):
    """A supervised machine beside its processes.

    ``system`` has ``id`` and ``version`` of the distribution, ``packages`` the installed versions, ``version`` is the
    binary's. ``masked`` are paths of units, ``fingerprints`` SHA-256 by path, ``texts`` files by path, ``sealed``
    digests of those that hold secrets.
    """

    system: Text = field(default_factory=dict)
    packages: Text = field(default_factory=dict)
    version: Optional[str] = None
    default_units: Mapping[str, Text] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    kernel: Mapping[str, Optional[str]] = field(default_factory=dict)
    container: bool = False
    fingerprints: Mapping[str, Optional[str]] = field(default_factory=dict)
    texts: Mapping[str, Optional[str]] = field(default_factory=dict)
    sealed: Mapping[str, Optional[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation(Message):
    """What one machine is like; ``host`` is None where nothing supervises.

    ``last_run`` is a text that differs as soon as a run has begun or ended there. ``memory`` is what services may have
    of it together, in bytes.
    """

    processes: Mapping[str, ProcessFacts] = field(default_factory=dict)
    host: Optional[HostState] = None
    undescribed: tuple[Undescribed, ...] = ()
    manual_masters: Mapping[str, ManualMaster] = field(default_factory=dict)
    last_run: str = ""
    memory: Optional[int] = None


@dataclass(frozen=True)
class ObservedHost(Message):
    """What is to be known of a supervised machine beside its processes.

    ``binary`` is a path, ``masks`` are paths of units, ``files`` are fingerprinted and ``texts`` read: no secrets. Of
    those that are ``sealed`` a digest comes back that is salted.
    """

    binary: str = ""
    packages: tuple[str, ...] = ()
    default_units: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observe(Request[Observation]):
    """Look at ``processes`` and, where systemd supervises them, at the ``host``. Changes nothing.

    ``sensitive`` are directives whose values come back as digests. What the description no longer has is found by
    ``units`` (a glob of unit files) with ``deployment``, or in ``root``, the folder of a sandbox machine. ``records``
    and ``journal`` are paths. ``kinds`` are all that there are, the first for a file with a name that is none's.
    """

    verb = "observe"

    processes: tuple[ManagedProcess, ...] = ()
    host: Optional[ObservedHost] = None
    sensitive: tuple[str, ...] = ()
    units: str = ""
    deployment: str = ""
    root: str = ""
    records: str = ""
    journal: str = ""
    kinds: tuple[Kind, ...] = ()
