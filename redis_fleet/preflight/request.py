"""What to look at on a machine before a deployment: the request for ``redis_fleet.agent.inspect.host_facts``."""

from __future__ import annotations

from typing import Any

from redis_fleet.model import Fleet
from redis_fleet.observe.request import request as look_request
from redis_fleet.platform import installation
from redis_fleet.preflight.disks import folders, needed
from redis_fleet.preflight.network import targets

SECONDS = 2.0
_ALIKE = ("binary", "packages", "default_units", "masks", "deployment")


def request(fleet: Fleet, machine: str) -> dict[str, Any]:
    """Return the request for one machine; there is no secret in it."""
    look = look_request(fleet, machine)
    processes = list(fleet.on(machine))
    return {
        **{name: look[name] for name in _ALIKE},
        "units": [process.unit for process in processes],
        "user": installation(fleet.engine).user,
        "folders": sorted({path for process in processes for path in folders(process).values()}),
        "configurations": [process.paths.configuration for process in processes],
        "needed": sorted({path for process in processes for path in needed(process)}),
        "ports": sorted({process.endpoint.port for process in processes}),
        "addresses": [fleet.machines[machine].address],
        "targets": [
            {"address": target.endpoint.address, "port": target.endpoint.port} for target in targets(fleet, machine)
        ],
        "seconds": SECONDS,
    }
