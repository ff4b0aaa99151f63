"""From a file to a fleet: read, placed, and held against the rules; all problems at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from redis_fleet.description.load import Description, load
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
    return _placed(load(file), layout or SystemLayout(), server)


def load_in_sandbox(file: str, root: Path) -> Fleet:
    """Read a file and place it where its processes are in a sandbox, on ports of its own; what is new there gets some.

    Raises InvalidDescriptionError, and OSError when there is no sandbox.
    """
    description = load(file)
    grow(root, places(description.deployment))
    return _placed(description, *sandbox_layout(str(root)))


def _placed(description: Description, layout: Layout, server: str) -> Fleet:
    fleet = place(description, layout, server)
    found = apply_rules(description, fleet)
    if found.errors:
        raise InvalidDescriptionError(found.errors)
    return replace(fleet, warnings=found.warnings, silences=found.silences)
