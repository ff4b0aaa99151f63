"""Where a process tells others that it is, which may be another address than the one that it listens on.

Replicas tell it their master, which tells it everybody who asks; Sentinels tell each other. What Sentinels name as a
master, a replica or a Sentinel, and what ROLE says, are announced addresses.
"""

from __future__ import annotations

from collections.abc import Callable

from redis_fleet.agent.endpoint import Endpoint


def port_directive(address_directive: str) -> str:
    """Return the directive of the announced port beside that of the announced address (``replica-announce-ip``)."""
    return f"{address_directive.removesuffix('ip')}port"


def announced(endpoint: Endpoint, address_directive: str, word: Callable[[str], str]) -> Endpoint | None:
    """Return the announced place of a process that listens on ``endpoint``; None where it announces that one.

    ``word`` returns the first word of a directive, empty where there is none. An empty address and a port of 0 announce
    the real ones.
    """
    if not address_directive:
        return None
    address, port = word(address_directive), word(port_directive(address_directive))
    number = int(port) if port.isascii() and port.isdecimal() else 0
    found = Endpoint(address or endpoint.address, number or endpoint.port)
    return None if found == endpoint else found
