"""One redis-server: its file, its running values, its keys in memory and on disk.

Idealised: a snapshot and an append only file are complete, also after a crash (what a crash costs is no plan's doing),
and a copy to a replica takes no time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.table import Directive
from redis_fleet.model import Process, Words

VERSION = "7.0.15"
CATALOGUE = table.catalogue("redis", VERSION)
File = dict[str, tuple[Words, ...]]
Keys = frozenset[int]
# What CONFIG GET shows of all that there is: whatever the simulation's descriptions or a run can change.
_SHOWN = (
    *("save", "appendonly", "appendfsync", "requirepass", "masterauth", "replica-priority", "min-replicas-to-write"),
    *("min-replicas-max-lag", "maxmemory", "maxmemory-policy", "repl-diskless-sync-delay", "databases", "tcp-backlog"),
)
USERS = "user"


def known(name: str) -> Directive:
    """Return a directive's row."""
    directive = CATALOGUE.find(name)
    assert directive is not None, name
    return directive


def described(process: Process) -> File:
    """Return what a process's description puts into its file."""
    found: File = {}
    for setting in process.settings:
        found[setting.name] = (*found.get(setting.name, ()), *(setting.reveal() or (("",),)))
    return found


@dataclass(eq=False)
class Server:
    """A redis-server that is or was deployed; ``cut``: its way to its master is."""

    process: Process
    file: File
    enabled: bool = False
    runs: bool = False
    cut: bool = False
    linked: bool = False
    config: dict[str, str] = field(default_factory=dict)
    follows: Endpoint | None = None
    accepts: frozenset[str] = frozenset()
    memory: Keys = frozenset()
    rdb: Keys | None = None
    aof: Keys | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return self.process.endpoint

    @property
    def master(self) -> bool:
        """Whether it runs as a master."""
        return self.runs and self.follows is None

    @property
    def fit(self) -> bool:
        """Whether it could take over from its master now."""
        return self.runs and self.linked and self.config["replica-priority"] != "0"

    def lets_in(self, password: str) -> bool:
        """Whether a new connection with this password (empty: without any) gets in."""
        return password in self.accepts if self.accepts else not password

    def load(self) -> Keys:
        """Return what it would have after a start: with ``appendonly yes`` the snapshot is not looked at."""
        stored = self.aof if self.file.get("appendonly") == (("yes",),) else self.rdb
        return stored or frozenset()

    def start(self) -> None:
        """Start from the file."""
        assert not self.runs, f"{self.process.id} runs already"
        shown = {name: known(name).default or "" for name in _SHOWN}
        for name, lines in self.file.items():
            if name != USERS and not known(name).file_only and name != "replicaof":
                shown[name] = values.config_text(known(name), lines)
        self.config = shown
        user = self.file.get(USERS)
        self.accepts = frozenset(user[0]) if user else frozenset({shown["requirepass"]} - {""})
        where = self.file.get("replicaof")
        self.follows = Endpoint(where[0][0], int(where[0][1])) if where else None
        self.runs, self.enabled, self.linked = True, True, False
        self.hold(self.load())

    def stop(self) -> None:
        """End, orderly or not."""
        self.runs, self.linked, self.memory = False, False, frozenset()

    def hold(self, keys: Keys) -> None:
        """Have exactly these keys, in memory and wherever it persists."""
        self.memory = keys
        if self.config["appendonly"] == "yes":
            self.aof = keys
        if self.config["save"].strip():
            self.rdb = keys

    def set(self, name: str, text: str) -> None:
        """CONFIG SET."""
        directive = known(name)
        assert directive.live == "config-set", f"CONFIG SET {name} is refused by a real server"
        self.config[directive.name] = text
        if name == "requirepass":
            self.accepts = frozenset({text} - {""})
        self.hold(self.memory)

    def rewrite(self) -> None:
        """CONFIG REWRITE."""
        for name, text in self.config.items():
            self.file[name] = values.lines(known(name), (text,)) if text else (("",),)
        self.file.pop("replicaof", None)
        self.file.pop(USERS, None)
        if self.follows:
            self.file["replicaof"] = ((self.follows.address, str(self.follows.port)),)
        if self.accepts:
            self.file[USERS] = (tuple(sorted(self.accepts)),)

    def replicate(self, master: Endpoint | None) -> None:
        """REPLICAOF, as everybody gives it who is not a person: with the file rewritten."""
        if self.follows != master:
            self.follows, self.linked = master, False
        self.rewrite()

    def edit(self, names: Iterable[str], process: Process) -> None:
        """Bring settings of the description into the file of the stopped process."""
        assert not self.runs, f"the file of {process.id}, which runs, was written"
        wanted = described(process)
        for name in names:
            self.file.pop(known(name).name, None)
            if name in wanted:
                self.file[name] = wanted[name]
            if name == "requirepass":
                self.file.pop(USERS, None)

    def lines(self) -> tuple[tuple[str, ...], ...]:
        """Return its file as a look sends it."""
        return tuple((name, *words) for name, lines in self.file.items() if name != USERS for words in lines)
