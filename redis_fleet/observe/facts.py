"""What was seen on the machines, as frozen values; made from the answers of ``redis_fleet.agent.inspect.observe``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.model import Kind, Paths, Process

Text = Mapping[str, str]
_BEGINNING = 3
_ROLES = {"master": "master", "slave": "replica", "replica": "replica", "sentinel": "sentinel"}


@dataclass(frozen=True)
class MasterView:
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
        return frozenset(self.master.get("flags", "").split(","))


@dataclass(frozen=True)
class ProcessFacts:
    """What was seen of one process.

    ``lines`` are its configuration file's directives (None: there is no file), ``file_error`` says why they cannot be
    read. ``error`` says why it did not answer.
    ``open`` is whether it took an unauthenticated PING (None: it could not be reached). ``opened_by`` says which
    password it was looked at with: the ``described`` one, the one ``filed`` in its configuration, ``none``.
    ``passwords`` counts those that it takes (None: it does not say). Secrets are sealed.
    """

    answers: bool = False
    error: str | None = None
    open: bool | None = None
    opened_by: str = "described"
    passwords: int | None = None
    pid: int = 0
    lines: tuple[tuple[str, ...], ...] | None = None
    file_error: str | None = None
    data: tuple[str, ...] | None = None
    unit: Text = field(default_factory=dict)
    config: Text = field(default_factory=dict)
    info: Text = field(default_factory=dict)
    role: Sequence[Any] = ()
    masters: Mapping[str, MasterView] = field(default_factory=dict)

    @property
    def deployed(self) -> bool:
        """Whether its configuration file exists."""
        return self.lines is not None

    @property
    def role_name(self) -> str:
        """``master``, ``replica``, ``sentinel``, or nothing when it does not answer."""
        return _ROLES.get(str(self.role[0]) if self.role else self.info.get("role", ""), "")

    @property
    def follows(self) -> Endpoint | None:
        """The master that a running replica follows."""
        return Endpoint(str(self.role[1]), int(self.role[2])) if self.role_name == "replica" else None

    @property
    def follows_by_file(self) -> Endpoint | None:
        """The master that its file names: whom it would follow when it is started."""
        for name, *words in self.lines or ():
            if name in ("replicaof", "slaveof") and len(words) == 2 and words[1].isdecimal():
                return Endpoint(words[0], int(words[1]))
        return None

    def lines_of(self, *words: str) -> tuple[tuple[str, ...], ...]:
        """Return the lines of its file that begin with these words, at most three: found without a search."""
        return self._by_beginning.get(words, ())

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
class Stranger:
    """A process of this deployment that its description does not have (any more), and what was seen of it.

    ``enabled`` is whether it would come back after a reboot.
    """

    process: Process
    facts: ProcessFacts
    enabled: bool = False

    @property
    def runs(self) -> bool:
        """Whether it is there as a process."""
        return bool(self.facts.answers or self.facts.pid)


@dataclass(frozen=True)
class MachineFacts:
    """What was seen of one machine; ``error`` says why it could not be looked at at all.

    ``texts`` are unit files by path, ``strangers`` processes by name. ``records`` say which master was made one by
    hand, service by service: ``master`` (``address:port``) and ``number`` (the highest is the newest).
    """

    error: str | None = None
    system: Text = field(default_factory=dict)
    packages: Text = field(default_factory=dict)
    version: str | None = None
    default_units: Mapping[str, Text] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    kernel: Mapping[str, str | None] = field(default_factory=dict)
    container: bool = False
    fingerprints: Mapping[str, str | None] = field(default_factory=dict)
    texts: Mapping[str, str | None] = field(default_factory=dict)
    processes: Mapping[str, ProcessFacts] = field(default_factory=dict)
    strangers: Mapping[str, Stranger] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Observed:
    """Everything that was seen, by machine name."""

    machines: Mapping[str, MachineFacts]

    def of(self, process: Process) -> ProcessFacts:
        """Return what was seen of a process; empty facts when its machine could not be looked at."""
        machine = self.machines.get(process.machine)
        if machine is None:
            return ProcessFacts()
        if process.name in machine.strangers:
            return machine.strangers[process.name].facts
        return machine.processes.get(process.name, ProcessFacts())

    @cached_property
    def strangers(self) -> tuple[Stranger, ...]:
        """Every process that the description does not have."""
        return tuple(each for machine in self.machines.values() for each in machine.strangers.values())

    def record(self, service: str) -> Endpoint | None:
        """Return the master that was last made one by hand; None when that never happened."""
        found = [machine.records[service] for machine in self.machines.values() if service in machine.records]
        newest = max(found, key=lambda each: int(each["number"]), default=None)
        if newest is None:
            return None
        address, _, port = str(newest["master"]).rpartition(":")
        return Endpoint(address.strip("[]"), int(port))


def observed(answers: Mapping[str, Mapping[str, Any]]) -> Observed:
    """Turn the answers, by machine name, into facts; an answer ``{"error": …}`` is a machine out of reach."""
    return Observed({name: _machine(name, answer) for name, answer in answers.items()})


def _machine(name: str, answer: Mapping[str, Any]) -> MachineFacts:
    if answer.get("error"):
        return MachineFacts(error=str(answer["error"]))
    return MachineFacts(
        system=answer.get("system", {}),
        packages=answer.get("packages", {}),
        version=answer.get("version"),
        default_units=answer.get("default_units", {}),
        masked=tuple(answer.get("masked", ())),
        kernel=answer.get("kernel", {}),
        container=bool(answer.get("container")),
        fingerprints=answer.get("fingerprints", {}),
        texts=answer.get("texts", {}),
        processes={each: _process(found) for each, found in answer["processes"].items()},
        strangers={each["name"]: _stranger(name, each) for each in answer.get("others", ())},
        records=answer.get("records", {}),
    )


def _stranger(machine: str, answer: Mapping[str, Any]) -> Stranger:
    kind: Kind = "sentinel" if answer["kind"] == "sentinel" else "server"
    unit = f"/etc/systemd/system/{answer['unit']}" if answer["unit"] else ""
    process = Process(
        name=answer["name"],
        kind=kind,
        machine=machine,
        service="" if kind == "sentinel" else answer["name"].rpartition("-")[0],
        endpoint=Endpoint(answer["address"], int(answer["port"])),
        settings=(),
        paths=Paths(answer["configuration"], answer["data"], answer["log"], answer["pid_file"], unit),
    )
    return Stranger(process, _process(answer), bool(answer.get("enabled")))


def _process(answer: Mapping[str, Any]) -> ProcessFacts:
    file = answer.get("file")
    return ProcessFacts(
        answers=answer["answers"],
        error=answer.get("error"),
        open=answer.get("open"),
        opened_by=answer.get("password") or "described",
        passwords=answer.get("passwords"),
        pid=answer.get("pid") or 0,
        lines=None if file is None else tuple(tuple(line) for line in file["lines"]),
        file_error=file.get("error") if file else None,
        data=None if answer.get("data") is None else tuple(answer["data"]),
        unit=answer.get("unit") or {},
        config=answer.get("config", {}),
        info=answer.get("info", {}),
        role=answer.get("role", ()),
        masters={name: _view(view) for name, view in answer.get("masters", {}).items()},
    )


def _view(view: Mapping[str, Any]) -> MasterView:
    return MasterView(view["master"], tuple(view["replicas"]), tuple(view["sentinels"]), view["quorum"])
