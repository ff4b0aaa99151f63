"""Description → Fleet: every process on its machine with complete settings."""

from __future__ import annotations

from redis_fleet.catalogue.one_word import size
from redis_fleet.description.load import Description
from redis_fleet.kinds import KINDS
from redis_fleet.model import Fleet, Machine, Sandbox
from redis_fleet.settings.layout import Layout, SandboxLayout
from redis_fleet.settings.shares import with_memory


def place(description: Description, layout: Layout, server: str = "") -> Fleet:
    """Return the fleet; what is wrong is added to ``description.problems``."""
    deployment = description.deployment
    machines = {
        name: Machine(
            name, entry.address, {**entry.vars, **entry.connection}, size(entry.memory) if entry.memory else None
        )
        for name, entry in deployment.machines.items()
    }
    fleet = Fleet(
        name=deployment.name,
        engine=deployment.engine,
        version=deployment.version,
        source=description.file,
        machines=machines,
        services=(),
        sandbox=Sandbox(layout.root, server) if isinstance(layout, SandboxLayout) else None,
    )
    for kind in KINDS.values():
        fleet = kind.place(description, layout, fleet)
    return with_memory(fleet, lambda process: machines[process.machine].memory)
