"""The way to a process that announces another address than the one that it listens on.

Whoever is on its own network, as it is itself, reaches it where it listens; others, the machines beyond a NAT among
them, perhaps only where it announces to be.
"""

from __future__ import annotations

import socket

from ..endpoint import Endpoint
from ..messages.service import Instance

_PATIENCE = 0.5
_found: dict[tuple[Endpoint, Endpoint], Endpoint] = {}


def way_to(node: Instance) -> Endpoint:
    """Return where a process is connected to from here: where it listens if that can be reached, else as announced.

    What was found once is not tried again. Where neither can be reached it is where it listens.
    """
    if node.announces is None:
        return node.endpoint
    key = (node.endpoint, node.announces)
    if key not in _found:
        for place in (node.endpoint, node.announces):
            if _reached(place):
                return _found.setdefault(key, place)
    return _found.get(key, node.endpoint)


def _reached(place: Endpoint) -> bool:
    try:
        socket.create_connection((place.address, place.port), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True
