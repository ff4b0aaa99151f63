"""From a file to a fleet: read, placed, and held against the rules; all problems at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from redis_fleet.description.load import load
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.rules.run import apply_rules
from redis_fleet.sandbox.state import grow, sandbox_layout
from redis_fleet.settings.layout import Layout, SystemLayout
from redis_fleet.topology.place import place
from redis_fleet.topology.places import places


def load_fleet(file: str, layout: Layout | None = None, server: str = "") -> Fleet:
    """Read a file and place it; raises InvalidDescriptionError with every problem at once.

    ``server`` is the binary that a sandbox runs.
    """
    description = load(file)
    fleet = place(description, layout or SystemLayout(), server)
    found = apply_rules(description, fleet)
    if found.errors:
        raise InvalidDescriptionError(found.errors)
    return replace(fleet, warnings=found.warnings, silences=found.silences)


def load_in_sandbox(file: str, root: Path) -> Fleet:
    """Read a file and place it where its processes are in a sandbox, on ports of its own; what is new there gets some.

    Raises InvalidDescriptionError, and OSError when there is no sandbox.
    """
    grow(root, places(load(file).deployment))
    return load_fleet(file, *sandbox_layout(str(root)))
