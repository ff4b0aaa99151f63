"""Where a description puts processes, before anything else is known of them."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.description.schema import Deployment
from redis_fleet.kinds import KINDS


def places(deployment: Deployment) -> Iterator[str]:
    """Yield ``machine:port`` of every process."""
    for kind in KINDS.values():
        yield from kind.places(deployment)
