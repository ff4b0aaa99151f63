"""From a file to a fleet: read, placed, and held against the rules; all problems at once."""

from __future__ import annotations

from dataclasses import replace

from redis_fleet.description.load import load
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.rules.run import apply_rules
from redis_fleet.settings.layout import Layout, SystemLayout
from redis_fleet.topology.place import place


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
