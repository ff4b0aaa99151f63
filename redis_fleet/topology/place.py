"""Description → Fleet: every process on its machine with complete settings; the last place that finds problems."""

from __future__ import annotations

from dataclasses import replace

from redis_fleet.description.load import Description, load
from redis_fleet.model import Fleet, Machine, Sandbox
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.rules.judge import verdict
from redis_fleet.topology import sentinels, servers
from redis_fleet.topology.layout import Layout, SandboxLayout, SystemLayout


def load_fleet(file: str, layout: Layout | None = None, server: str = "") -> Fleet:
    """Read a file and place it; raises InvalidDescriptionError with every problem at once.

    ``server`` is the binary that a sandbox runs.
    """
    description = load(file)
    fleet = place(description, layout or SystemLayout(), server)
    found = verdict(description, fleet)
    if found.errors:
        raise InvalidDescriptionError(found.errors)
    return replace(fleet, warnings=found.warnings, silences=found.silences)


def place(description: Description, layout: Layout, server: str = "") -> Fleet:
    """Return the fleet; what is wrong is added to ``description.problems``."""
    deployment = description.deployment
    services = tuple(
        servers.place(description, layout, name, sentinels.watch(description, name)) for name in deployment.services
    )
    machines = {
        name: Machine(name, entry.address, {**entry.vars, **entry.connection})
        for name, entry in deployment.machines.items()
    }
    return Fleet(
        name=deployment.name,
        engine=deployment.engine,
        version=deployment.version,
        source=description.file,
        machines=machines,
        services=services,
        sentinels=sentinels.place(description, layout, services),
        sandbox=Sandbox(layout.root, server) if isinstance(layout, SandboxLayout) else None,
    )
