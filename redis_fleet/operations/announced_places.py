"""Whether the machines of a deployment reach what its processes announce: replicas and Sentinels go nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.reach import OPEN
from redis_fleet.agent.messages.client import Check
from redis_fleet.model import Fleet, Process, Service

CHECK = "is reached as announced"


def announced_places(fleet: Fleet) -> tuple[Endpoint, ...]:
    """Return what is announced that is not where the process listens."""
    return tuple(each.announces for each in fleet.processes if each.announces)


def announced_checks(fleet: Fleet, service: Service, answers: Mapping[str, Mapping[str, Any]]) -> Iterator[Check]:
    """Check each process of a service that announces another address, and the Sentinels that watch it.

    ``answers`` are by machine: ``reached``, the state by place, or ``error``, why that machine could not be asked.
    """
    asking = _asking(fleet, service)
    for process in (*service.processes, *(fleet.sentinels if service.watch else ())):
        if process.announces:
            place = str(process.announces)
            wrong = [(each, said) for each in asking if (said := _state(answers.get(each, {}), place)) != OPEN]
            seen = "; ".join(f"{place} from {machine}: {said}" for machine, said in wrong)
            yield Check(CHECK, process.id, not wrong, seen or f"{place} is open", f"{place} is open to every machine")


def _asking(fleet: Fleet, service: Service) -> list[str]:
    """Return the machines that have to reach the processes of a service."""
    processes: tuple[Process, ...] = (*service.processes, *(fleet.sentinels if service.watch else ()))
    return list(dict.fromkeys(process.machine for process in processes))


def _state(answer: Mapping[str, Any], place: str) -> str:
    reached: Mapping[str, str] = answer.get("reached", {})
    return str(answer.get("error") or reached.get(place, "was not asked"))
