"""The vocabulary: what a fleet is made of, complete and frozen. Made by topology, read by everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.secret import Secret
from redis_fleet.problems import Position, Problem

Words = tuple[str, ...]
OURS = "redis-fleet"
"""The user that redis-fleet logs in as, where there is one."""
USUAL_RESTART_DELAY = 1.0
"""Seconds; any other delay means that a process which comes back too early would destroy data."""

_NAMED = frozenset({"user", "sentinel auth-pass"})
"""Directives whose secrets stand behind a name."""


@dataclass(frozen=True)
class Share:
    """A percentage of a machine's memory; ``of`` is that memory in bytes, None as long as nobody has asked."""

    percent: int
    of: int | None = None


@dataclass(frozen=True)
class Setting:
    """One directive with all its lines, each line the words behind the name.

    ``save`` with three rules is one setting of three lines; a directive that appears once has one line. The words are
    unquoted. What a ``secret`` setting says is held as Secrets, whatever it was made from: all but the name in front.
    Of a ``share`` of the machine's memory the word is the size as soon as that memory is known, else the percentage.
    """

    name: str
    held: tuple[tuple[str | Secret, ...], ...]
    secret: bool = False
    position: Position | None = field(default=None, compare=False)
    share: Share | None = None

    def __post_init__(self) -> None:
        if self.secret:
            names = 1 if self.name in _NAMED else 0
            closed = tuple((*words[:names], *map(_closed, words[names:])) for words in self.held)
            object.__setattr__(self, "held", closed)

    @property
    def lines(self) -> tuple[Words, ...]:
        """The lines of a setting that is no secret. Raises TypeError for one that is: who may see it says reveal."""
        if self.secret:
            raise TypeError(f"'{self.name}' is a secret")
        return cast("tuple[Words, ...]", self.held)

    @property
    def names(self) -> tuple[str, ...]:
        """What the lines are about, secret or not: the users of ``user``, the monitor of ``sentinel auth-pass``."""
        return tuple(str(words[0]) for words in self.held if words)

    @property
    def word(self) -> str:
        """The first word of one that is no secret, empty when it has none."""
        return self.lines[0][0] if self.lines and self.lines[0] else ""

    @property
    def empty(self) -> bool:
        """Whether it begins with nothing: ``masteruser ""``."""
        return not (self.held and self.held[0] and self.held[0][0] not in ("", Secret("")))

    def reveal(self) -> tuple[Words, ...]:
        """Return the lines in clear, also of a secret: to be written, compared or judged, never to be kept."""
        if not self.secret:
            return self.lines
        return tuple(tuple(w.reveal() if isinstance(w, Secret) else w for w in words) for words in self.held)


def _closed(word: str | Secret) -> Secret:
    return Secret(word) if isinstance(word, str) else word


@dataclass(frozen=True)
class Identity:
    """Whom somebody (``who`` in words) logs in as; it sends ``commands`` and uses ``channels``.

    ``previous`` is the password that it had, where that is known.
    """

    user: str
    password: Secret
    who: str = ""
    commands: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    previous: Secret | None = None


@dataclass(frozen=True)
class Users:
    """The users that redis-fleet gives a process beside raw ``user`` lines.

    ``described`` are the names that the description or redis-fleet gives rules, ``absent`` those that shall be gone.
    ``internal`` are redis-fleet's, Sentinels' and replicas' own, by name. ``default`` is what the default user may:
    everything with its password (``on``), nothing (``off``), or PING alone (``ping``).
    """

    described: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    internal: Mapping[str, Identity] = field(default_factory=dict)
    default: str = "on"


@dataclass(frozen=True)
class Paths:
    """The files and folders of one process, absolute, on its machine; ``unit`` is empty where nothing supervises."""

    configuration: str
    data: str
    log: str
    pid: str
    unit: str = ""


@dataclass(frozen=True)
class Given:
    """A certificate (PEM, with what it is signed by) as the description has it, its key, and who is believed."""

    certificate: str = field(repr=False)
    key: Secret
    authorities: str = field(repr=False)
    key_password: Secret | None = None


@dataclass(frozen=True)
class ProcessTls:
    """Where a process has its certificate, its key and whom it believes: absolute paths, on its machine.

    ``names`` are the addresses and host names that its certificate must be good for. What is ``given`` is put there;
    None: the authority in the folder ``authority`` of the controller makes it. ``believed`` is what is to be in the
    file of ``authorities`` (PEM; empty: the authority is not made yet).
    """

    certificate: str
    key: str
    authorities: str
    names: tuple[str, ...]
    given: Given | None = None
    authority: str = ""
    believed: str = field(default="", repr=False)


@dataclass(frozen=True)
class Process:
    """One redis-server, redis-sentinel or what else runs: where, and every setting of its configuration file.

    ``name`` is unique on its machine (``orders-6379``), ``id`` in the fleet (``orders-6379@red1``). ``kind`` is one of
    ``redis_fleet.kinds``. ``endpoint`` is where redis-fleet connects to it, ``announces`` where it tells others that it
    is (None: there).
    ``follows`` is what the description names as its master at the first deployment (None: it starts as one, or it is a
    Sentinel). ``restart_delay`` is in seconds, None when a crashed process must stay down. ``adopted``: somebody else
    set it up, and its unit stays as it is. ``hands_over``: its unit hands its master's role over when it ends.
    ``password`` is the default user's, None also where that has none because it may do nothing. With ``tls`` it speaks
    nothing else.
    """

    name: str
    kind: str
    machine: str
    service: str
    endpoint: Endpoint
    settings: tuple[Setting, ...]
    paths: Paths
    password: Secret | None = None
    follows: Endpoint | None = None
    restart_delay: float | None = USUAL_RESTART_DELAY
    adopted: bool = False
    announces: Endpoint | None = None
    hands_over: bool = False
    tls: ProcessTls | None = None
    users: Users = field(default=Users(), hash=False)

    @property
    def login(self) -> Identity | None:
        """Whom redis-fleet logs in as; None: the default user, by the password."""
        return self.users.internal.get(OURS)

    @property
    def announced(self) -> Endpoint:
        """Where servers, Sentinels and clients are told that it is: what others say of it is compared with this."""
        return self.announces or self.endpoint

    @property
    def id(self) -> str:
        """The process's name in the whole fleet."""
        return f"{self.name}@{self.machine}"

    @property
    def unit(self) -> str:
        """The name of its systemd unit; empty where nothing supervises it."""
        return self.paths.unit.rpartition("/")[2]

    @property
    def plain(self) -> tuple[tuple[str, tuple[Words, ...]], ...]:
        """The settings that are no secrets: name and lines."""
        return tuple((setting.name, setting.lines) for setting in self.settings if not setting.secret)

    def setting(self, name: str) -> Setting | None:
        """Return the setting of that name, if the process has it."""
        return next((setting for setting in self.settings if setting.name == name), None)


@dataclass(frozen=True)
class Watch:
    """What the Sentinels know one service by: the monitor name, the first master, quorum and timings (ms)."""

    service: str
    name: str
    quorum: int
    down_after: int
    failover_timeout: int
    parallel_syncs: int


@dataclass(frozen=True)
class Service:
    """One master and its replicas; ``external`` is a master outside this file that all its processes follow.

    ``password`` is the described one, whatever the default user may do; ``sentinel_login`` is whom Sentinels log in as
    (None: the default user).
    """

    name: str
    processes: tuple[Process, ...]
    password: Secret | None
    watch: Watch | None = None
    external: Endpoint | None = None
    sentinel_login: Identity | None = None

    @property
    def on_socket(self) -> Process | None:
        """The one process of a service that only its own machine reaches; None where processes have ports."""
        return next((process for process in self.processes if process.endpoint.on_socket), None)

    @property
    def first_master(self) -> Process | None:
        """The process that the description starts as the master; None with an external master."""
        return next((process for process in self.processes if process.follows is None), None)


@dataclass(frozen=True)
class Machine:
    """One host with its address, the Ansible variables that reach it, and its memory in bytes if that is described."""

    name: str
    address: str
    variables: Mapping[str, object] = field(default_factory=dict, repr=False)
    memory: int | None = None


@dataclass(frozen=True)
class Sandbox:
    """Where a sandbox keeps its files, and the binary that its processes run."""

    root: str
    server: str


@dataclass(frozen=True)
class Silence:
    """A rule that the description silences, the reason, and where: ``section`` is ``services.orders``, or empty."""

    section: str
    rule: str
    reason: str

    def covers(self, rule: str, path: str = "") -> bool:
        """Say whether it silences a rule at a path such as ``services.orders.config.save``."""
        below = (f"{self.section}.", f"{self.section}[")
        return self.rule == rule and (not self.section or path == self.section or path.startswith(below))


@dataclass(frozen=True)
class Fleet:
    """A whole deployment, placed: every machine, service and process with complete settings.

    ``version`` is the described one, if any. ``auxiliary`` are processes that hold no data and watch
    nothing. ``warnings`` are what its rules found that keeps nobody from deploying it; ``silences`` what they were told
    to leave.
    """

    name: str
    engine: str
    source: str
    machines: Mapping[str, Machine]
    services: tuple[Service, ...]
    sentinels: tuple[Process, ...] = ()
    sandbox: Sandbox | None = None
    version: str | None = None
    auxiliary: tuple[Process, ...] = ()
    warnings: tuple[Problem, ...] = field(default=(), compare=False, repr=False)
    silences: tuple[Silence, ...] = field(default=(), compare=False, repr=False)

    @cached_property
    def processes(self) -> tuple[Process, ...]:
        """Every process: the servers service by service, then the Sentinels, then what runs beside them."""
        members = tuple(process for service in self.services for process in service.processes)
        return members + self.sentinels + self.auxiliary

    def on(self, machine: str) -> Iterator[Process]:
        """Yield the processes of one machine, in the order of ``processes``."""
        return iter(self._by_machine.get(machine, ()))

    @cached_property
    def _by_machine(self) -> Mapping[str, Sequence[Process]]:
        found: dict[str, list[Process]] = {}
        for process in self.processes:
            found.setdefault(process.machine, []).append(process)
        return found

    def keeps_setup(self, machine: str) -> bool:
        """Say whether all processes of a machine were adopted: what is around them is then not to be changed."""
        processes = list(self.on(machine))
        return bool(processes) and all(process.adopted for process in processes)

    def service(self, name: str) -> Service:
        """Return a service by name; raises KeyError."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)
