"""What to look at on a machine before a deployment: the request for ``redis_fleet.agent.inspect.host_facts``."""

from __future__ import annotations

from dataclasses import replace

from redis_fleet.agent.messages.host_facts import AskHostFacts
from redis_fleet.model import Fleet
from redis_fleet.observe.request import host_request
from redis_fleet.platform import installation
from redis_fleet.rules.hosts.disks import folders, needed
from redis_fleet.rules.hosts.network import targets

SECONDS = 2.0


def request(fleet: Fleet, machine: str) -> AskHostFacts:
    """Return the request for one machine; there is no secret in it."""
    processes = list(fleet.on(machine))
    return AskHostFacts(
        host=replace(host_request(fleet, machine), files=(), texts=()),
        deployment=fleet.name,
        user=installation(fleet.engine).user,
        units=tuple(process.unit for process in processes),
        folders=tuple(sorted({path for process in processes for path in folders(process).values()})),
        configurations=tuple(process.paths.configuration for process in processes),
        needed=tuple(sorted({path for process in processes for path in needed(process)})),
        ports=tuple(sorted({process.endpoint.port for process in processes} - {0})),
        addresses=(fleet.machines[machine].address,),
        targets=tuple(target.endpoint for target in targets(fleet, machine)),
        seconds=SECONDS,
    )
