"""When starting a process that is down would destroy data or go against Sentinel."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import Observed
from redis_fleet.plan.steps import Agreement
from redis_fleet.topology.judge import persists, value_of


def unsafe_start(
    fleet: Fleet, service: Service, process: Process, agreement: Agreement, seen: Observed
) -> Iterator[str]:
    """Yield why a process must stay down; a replica may always come back."""
    if process.endpoint != agreement.master:
        return
    others = [each for each in service.processes if each != process]
    alive = [each for each in others if seen.of(each).answers]
    keys = max((seen.of(each).keys for each in alive), default=0)
    empties = keys and not _has_data(fleet, process, seen)
    if service.watch and alive:
        by_hand = "and leave it down: it has no data and would empty them" if empties else "or start it if they cannot"
        yield (
            f"{process.id}: the master is down and the Sentinels are about to put a replica in its place; "
            f"run again in {service.watch.down_after // 1000 + 5} s, {by_hand}"
        )
    elif empties:
        yield (
            f"{process.id}: would start empty and empty its replicas, which hold {keys} keys; "
            "promote one of them (REPLICAOF NO ONE) and run again"
        )
    stored = [each.id for each in others if not seen.of(each).answers and _has_data(fleet, each, seen)]
    if stored and _persists(process) and not _has_data(fleet, process, seen):
        yield (
            f"{process.id}: would start empty and empty its replicas, while {', '.join(stored)} would load data from "
            "disk; start the one with the newest data by hand, without replicaof, and run again"
        )


def _persists(process: Process) -> bool:
    return persists((setting.name, setting.lines) for setting in process.settings)


def _has_data(fleet: Fleet, process: Process, seen: Observed) -> bool:
    """Whether its data folder holds what its configuration will load: the AOF when that is on, else the snapshot.

    With ``appendonly yes`` a snapshot is ignored, also when there is no AOF (measured on 6.0 to 8.0).
    """
    names = set(seen.of(process).data or ())
    appendonly = process.setting("appendonly")
    if appendonly and appendonly.lines == (("yes",),):
        wanted = {value_of(fleet.engine, process, "appenddirname"), value_of(fleet.engine, process, "appendfilename")}
    else:
        wanted = {value_of(fleet.engine, process, "dbfilename")}
    return bool(names & wanted)
