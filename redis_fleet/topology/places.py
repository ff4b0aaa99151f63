"""Where a description puts processes, before anything else is known of them."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.description.members import member, members
from redis_fleet.description.schema import Deployment


def places(deployment: Deployment) -> Iterator[str]:
    """Yield ``machine:port`` of every server and Sentinel."""
    for service in deployment.services.values():
        for each in members(service, deployment):
            yield f"{each.machine}:{each.port}"
    if deployment.sentinel:
        for text in deployment.sentinel.machines:
            each = member(text, deployment.sentinel.port)
            yield f"{each.machine}:{each.port}"
