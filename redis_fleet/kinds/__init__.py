"""The kinds of process, in the order in which they are placed and started. Whoever asks for a kind's name asks here.

Every module of this folder that has a ``KIND`` is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules

from redis_fleet.kinds.kind import Kind
from redis_fleet.model import Fleet, Process
from redis_fleet.platform.platform import Engine


def _found() -> Iterator[Kind]:
    for each in iter_modules(__path__, f"{__name__}."):
        kind = getattr(import_module(each.name), "KIND", None)
        if isinstance(kind, Kind):
            yield kind


KINDS: Mapping[str, Kind] = {kind.name: kind for kind in sorted(_found(), key=lambda each: each.order)}


def of(process: Process) -> Kind:
    """Return the kind of a process; raises KeyError."""
    return KINDS[process.kind]


def wanted_packages(fleet: Fleet, machine: str, offer: Engine) -> list[str]:
    """Return the packages that the processes of a machine need, each once, those of servers in front."""
    here = {process.kind for process in fleet.on(machine)}
    slots = [slot for name, kind in KINDS.items() if name in here for slot in kind.slots]
    return [offer.packages[slot] for slot in dict.fromkeys(slots)]
