"""Ports on loopback that nobody else takes before the process that they are for has started."""

from __future__ import annotations

import os
import random
import re
import socket
from collections.abc import Container
from contextlib import ExitStack
from pathlib import Path

PORTS = "REDIS_FLEET_PORTS"
"""Names the ports to take, FIRST-LAST: several jobs on one machine can be kept apart."""
_RANGE_OF_CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10000
_HIGHEST = 65535
# What Linux gives to outgoing connections when nobody changed it (ip(7)); other systems give later ones (RFC 6335).
_CONNECTIONS_BEGIN = 32768


def free_ports(count: int, taken: Container[int] = ()) -> list[int]:
    """Return so many free ports of 127.0.0.1, no two the same and none that is ``taken``.

    They are of the range that the kernel never gives to an outgoing connection: one that is free now stays free until
    somebody asks for it by its number. Where the environment names PORTS, they are of those. Raises OSError when there
    are not that many, or what the environment has is no range.
    """
    candidates = [port for port in _asked_for_by_number() if port not in taken]
    random.shuffle(candidates)
    with ExitStack() as held:
        found: list[int] = []
        for port in candidates:
            if len(found) == count:
                break
            # Held until the last is found: nobody who asks at the same time gets it as well.
            if (holder := _bound(port)) is not None:
                held.enter_context(holder)
                found.append(port)
    if len(found) < count:
        raise OSError(f"of {count} ports on 127.0.0.1 only {len(found)} are free")
    return found


def _asked_for_by_number() -> list[int]:
    """Return the ports that the environment names, else those that no outgoing connection gets."""
    if named := os.environ.get(PORTS):
        return _named(named)
    first, last = _connections()
    below, above = range(_LOWEST, first), range(last + 1, _HIGHEST + 1)
    # Where connections get all of them there is nothing better than any.
    return [*below] or [*above] or [*range(_LOWEST, _HIGHEST + 1)]


def _named(text: str) -> list[int]:
    match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    if match is None or not 0 < int(match[1]) <= int(match[2]) <= _HIGHEST:
        raise OSError(f"{PORTS} is '{text}', not two ports such as 20000-20999")
    return [*range(int(match[1]), int(match[2]) + 1)]


def _connections() -> tuple[int, int]:
    try:
        first, last = _RANGE_OF_CONNECTIONS.read_text(encoding="ascii").split()
        return int(first), int(last)
    except (OSError, ValueError):
        return _CONNECTIONS_BEGIN, _HIGHEST


def _bound(port: int) -> socket.socket | None:
    holder = socket.socket()
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        return None
    return holder
