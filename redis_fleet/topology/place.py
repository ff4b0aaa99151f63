"""Description → Fleet: every process on its machine with complete settings; the last place that finds problems."""

from __future__ import annotations

from redis_fleet.description.load import Description, load
from redis_fleet.description.nodes import Path
from redis_fleet.model import Fleet, Machine, Process, Sandbox
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.topology import sentinels, servers
from redis_fleet.topology.layout import Layout, SandboxLayout, SystemLayout


def load_fleet(file: str, layout: Layout | None = None, server: str = "") -> Fleet:
    """Read a file and place it; raises InvalidDescriptionError with every problem at once.

    ``server`` is the binary that a sandbox runs.
    """
    description = load(file)
    fleet = place(description, layout or SystemLayout(), server)
    if description.problems:
        raise InvalidDescriptionError(description.problems)
    return fleet


def place(description: Description, layout: Layout, server: str = "") -> Fleet:
    """Return the fleet; what is wrong is added to ``description.problems``."""
    deployment = description.deployment
    services = tuple(
        servers.place(description, layout, name, sentinels.watch(description, name)) for name in deployment.services
    )
    for service in services:
        sentinels.check_password(description, service)
    machines = {
        name: Machine(name, entry.address, {**entry.vars, **entry.connection})
        for name, entry in deployment.machines.items()
    }
    fleet = Fleet(
        name=deployment.name,
        engine=deployment.engine,
        source=description.file,
        machines=machines,
        services=services,
        sentinels=sentinels.place(description, layout, services),
        sandbox=Sandbox(layout.root, server) if isinstance(layout, SandboxLayout) else None,
    )
    _check_own_files(description, fleet)
    return fleet


def _check_own_files(description: Description, fleet: Fleet) -> None:
    """Two processes that share a data folder overwrite each other's data; the same goes for logs and sockets."""
    for machine in fleet.machines:
        taken: dict[tuple[str, str], Process] = {}
        for process in fleet.on(machine):
            for key in servers.data_paths(process):
                other = taken.setdefault(key, process)
                # Where neither names the path, both have one name and so one port, which is said already.
                place = next((path for each in (process, other) if (path := _config(description, each, key[0]))), None)
                if other is not process and place:
                    what = f"'{key[1]}' on {machine} is used by both {other.name} and {process.name}"
                    description.report(place, what, "give each process its own, for example with '{{ name }}' in it")


def _config(description: Description, process: Process, name: str) -> Path | None:
    """Return the path of a directive that a process's section of the file gives."""
    section: Path = ("services", process.service) if process.kind == "server" else ("sentinel",)
    path = (*section, "config", name)
    return path if path in description.document.positions else None
