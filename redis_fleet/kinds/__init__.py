"""The kinds of process, in the order in which they are placed and started. Whoever asks for a kind's name asks here."""

from __future__ import annotations

from collections.abc import Mapping

from redis_fleet.kinds import redis_sentinel, redis_server
from redis_fleet.kinds.kind import Kind
from redis_fleet.model import Fleet, Process
from redis_fleet.platform.platform import Engine

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (redis_server.KIND, redis_sentinel.KIND)}


def of(process: Process) -> Kind:
    """Return the kind of a process; raises KeyError."""
    return KINDS[process.kind]


def wanted_packages(fleet: Fleet, machine: str, offer: Engine) -> list[str]:
    """Return the packages that the processes of a machine need, each once, those of servers in front."""
    here = {process.kind for process in fleet.on(machine)}
    slots = [slot for name, kind in KINDS.items() if name in here for slot in kind.slots]
    return [offer.packages[slot] for slot in dict.fromkeys(slots)]
