"""Who is who in a deployment: its machines, the processes on them, who follows whom, and who is watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.model import Fleet, Process, Service

Role = Literal["master", "replica", "sentinel", "down"]
Row = Mapping[str, Any]
OUTSIDE = "outside"
"""The machine under which a master outside the description is drawn."""


@dataclass(frozen=True)
class Node:
    """One process; ``service`` is empty for a Sentinel. ``note`` says what is wrong with it."""

    id: str
    machine: str
    service: str
    port: int
    role: Role
    note: str = ""


@dataclass(frozen=True)
class Arrow:
    """A replica and the process that it follows, both by id."""

    replica: str
    master: str


@dataclass(frozen=True)
class Watching:
    """How the Sentinels know one service."""

    service: str
    name: str
    quorum: int


@dataclass(frozen=True)
class Picture:
    """A deployment at one moment; ``machines`` are name and address.

    ``asked``: its processes were, otherwise it is as described.
    """

    machines: tuple[tuple[str, str], ...]
    services: tuple[str, ...]
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    watched: tuple[Watching, ...]
    asked: bool

    def of(self, service: str) -> tuple[Node, ...]:
        """Return the servers of a service."""
        return tuple(node for node in self.nodes if node.service == service)

    @property
    def sentinels(self) -> tuple[Node, ...]:
        """The Sentinels."""
        return self.of("")

    @property
    def sentences(self) -> list[str]:
        """The picture in words, a sentence for each service: for those who cannot see it."""
        return [self._sentence(service) for service in self.services]

    def _sentence(self, service: str) -> str:
        told = []
        for role, one, many in (("master", "master", "masters"), ("replica", "replica", "replicas")):
            found = [node.id for node in self.of(service) if node.role == role]
            if found:
                told.append(f"{one if len(found) == 1 else many} {', '.join(found)}")
        told += [f"{node.id} {node.note or 'does not answer'}" for node in self.of(service) if node.role == "down"]
        watch = next((each for each in self.watched if each.service == service), None)
        count = len(self.sentinels)
        who = f"{count} Sentinel" + ("s" if count > 1 else "")
        told.append(f"watched by {who}, quorum {watch.quorum}" if watch else "watched by no Sentinel")
        return f"{service}: {'; '.join(told)}."


def picture_of(fleet: Fleet, rows: Sequence[Row] = ()) -> Picture:
    """Return the picture of a fleet; ``rows`` are those of ``status``, without them it is drawn as described."""
    seen = {row["process"]: row for row in rows}
    nodes, arrows = [], []
    for service in fleet.services:
        found = [_server(process, seen) for process in service.processes]
        followed = {process.id: _follows(process, seen) for process in service.processes}
        outside = {place for place in followed.values() if place and not _named(service, place)}
        found += [_outside(place, service) for place in sorted(outside, key=str)]
        arrows += [
            Arrow(node.id, _named(service, place) or str(place))
            for node in found
            if node.role == "replica" and (place := followed[node.id])
        ]
        nodes += found
    nodes += [_sentinel(process, seen) for process in fleet.sentinels]
    machines = [(machine.name, machine.address) for machine in fleet.machines.values() if list(fleet.on(machine.name))]
    machines += [(OUTSIDE, "not in this file")] if any(node.machine == OUTSIDE for node in nodes) else []
    return Picture(
        tuple(machines), tuple(each.name for each in fleet.services), tuple(nodes), tuple(arrows),
        tuple(Watching(each.name, each.watch.name, each.watch.quorum) for each in fleet.services if each.watch),
        bool(rows),
    )  # fmt: skip


def _server(process: Process, seen: Mapping[str, Row]) -> Node:
    row = seen.get(process.id)
    role: Role = "replica" if process.follows else "master"
    note = ""
    if row is not None:
        role = "down" if not row["up"] else "master" if row["role"] == "master" else "replica"
        note = "does not answer" if role == "down" else ""
        if role == "replica" and row.get("link") not in (None, "up"):
            note = f"link {row['link']}"
    return Node(process.id, process.machine, process.service, process.endpoint.port, role, note)


def _sentinel(process: Process, seen: Mapping[str, Row]) -> Node:
    row = seen.get(process.id)
    if row is None or row["up"]:
        return Node(process.id, process.machine, "", process.endpoint.port, "sentinel")
    return Node(process.id, process.machine, "", process.endpoint.port, "down", "does not answer")


def _outside(place: Endpoint, service: Service) -> Node:
    return Node(str(place), OUTSIDE, service.name, place.port, "master", place.address)


def _follows(process: Process, seen: Mapping[str, Row]) -> Endpoint | None:
    """Return whom a process follows: as it said itself, else as described."""
    row = seen.get(process.id)
    if row is None:
        return process.follows
    if not row.get("follows"):
        return None
    address, _, port = str(row["follows"]).rpartition(":")
    return Endpoint(address.strip("[]"), int(port))


def _named(service: Service, place: Endpoint) -> str:
    return next((process.id for process in service.processes if process.announced == place), "")
