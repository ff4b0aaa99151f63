"""What was seen on all machines, as frozen values: the answers to ``Observe``, and what only the controller knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.systemd import UNITS
from redis_fleet.agent.messages.manual_master import ManualMaster
from redis_fleet.agent.messages.observation import (
    HostState,
    MasterView,
    Observation,
    ProcessFacts,
    Undescribed,
)
from redis_fleet.kinds import KINDS
from redis_fleet.model import Paths, Process
from redis_fleet.settings.announced import announced

__all__ = ["MachineFacts", "ManualMaster", "MasterView", "Observed", "ProcessFacts", "Stranger", "observed"]


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
class MachineFacts(HostState):
    """What was seen of one machine; ``error`` says why it could not be looked at at all.

    ``strangers`` are processes by name. ``records`` say which master was made one by hand, service by service.
    ``memory`` is what services may have, in bytes.
    """

    error: str | None = None
    processes: Mapping[str, ProcessFacts] = field(default_factory=dict)
    strangers: Mapping[str, Stranger] = field(default_factory=dict)
    records: Mapping[str, ManualMaster] = field(default_factory=dict)
    memory: int | None = None

    @classmethod
    def of(cls, host: HostState | None) -> Self:
        """Return the facts of a machine of which only this is known."""
        return cls(**vars(host)) if host else cls()


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

    def memory(self, process: Process) -> int | None:
        """Return the bytes that a process may have: its machine's, or its unit's if that is less; None: not known."""
        machine = self.machines.get(process.machine)
        unit = self.of(process).unit.get("MemoryMax", "")
        bounds = [machine.memory if machine else None, int(unit) if unit.isdecimal() else None]
        return min((each for each in bounds if each), default=None)

    @cached_property
    def strangers(self) -> tuple[Stranger, ...]:
        """Every process that the description does not have."""
        return tuple(each for machine in self.machines.values() for each in machine.strangers.values())

    def record(self, service: str) -> Endpoint | None:
        """Return the master that was last made one by hand; None when that never happened."""
        found = [machine.records[service] for machine in self.machines.values() if service in machine.records]
        newest = max(found, key=lambda each: each.number, default=None)
        return None if newest is None else Endpoint.parse(newest.master)


def observed(answers: Mapping[str, Observation | str]) -> Observed:
    """Turn the answers, by machine name, into facts; a text says why a machine is out of reach."""
    return Observed({name: _machine(name, answer) for name, answer in answers.items()})


def _machine(name: str, answer: Observation | str) -> MachineFacts:
    if isinstance(answer, str):
        return MachineFacts(error=answer)
    return replace(
        MachineFacts.of(answer.host),
        processes=answer.processes,
        strangers={each.process.name: _stranger(name, each) for each in answer.undescribed},
        records=answer.manual_masters,
        memory=answer.memory,
    )


def _stranger(machine: str, found: Undescribed) -> Stranger:
    seen = found.process
    kind = KINDS[seen.kind.name]
    process = Process(
        name=seen.name,
        kind=seen.kind.name,
        machine=machine,
        service=kind.service_of(seen.name),
        endpoint=seen.access.endpoint,
        settings=(),
        paths=Paths(seen.configuration, seen.data, seen.log, seen.pid, f"{UNITS}{seen.unit}" if seen.unit else ""),
        announces=announced(seen.access.endpoint, kind.announce, found.facts.word_of),
    )
    return Stranger(process, found.facts, found.enabled)
