"""Try to connect to many places at the same time, within one bounded wait."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections.abc import Sequence
from typing import Any

from ..endpoint import Endpoint
from ..messages.host_facts import Reached

OPEN, REFUSED, SILENT, UNKNOWN = "open", "refused", "no answer", "its name is not resolved"
# Half of what a process may usually have open.
_AT_ONCE = 500
_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK)


def reach(targets: Sequence[Endpoint], seconds: float) -> list[Reached]:
    """Return what became of a connection to each.

    All connections of a batch share the ``seconds``. Nothing is sent over them.
    """
    found: list[Reached] = []
    for start in range(0, len(targets), _AT_ONCE):
        found += _batch(targets[start : start + _AT_ONCE], seconds)
    return found


def _batch(targets: Sequence[Endpoint], seconds: float) -> list[Reached]:
    states: dict[int, str] = {}
    with selectors.DefaultSelector() as selector:
        for number, target in enumerate(targets):
            state = _begin(selector, number, target)
            if state is not None:
                states[number] = state
        deadline = time.monotonic() + seconds
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                states[key.data] = _state(_end(selector, key.fileobj))
        for key in list(selector.get_map().values()):
            _end(selector, key.fileobj)
    rows = enumerate(targets)
    return [Reached(each.address, each.port, states.get(at, SILENT)) for at, each in rows]


def _begin(selector: selectors.BaseSelector, number: int, target: Endpoint) -> str | None:
    """Start one connection; returns its state where that is known at once."""
    try:
        found = socket.getaddrinfo(target.address, target.port, type=socket.SOCK_STREAM)[0]
        connection = socket.socket(found[0], socket.SOCK_STREAM)
    except socket.gaierror:
        return UNKNOWN
    except OSError as error:
        return _state(error.errno or 0)
    connection.setblocking(False)
    try:
        code = connection.connect_ex(found[4])
    except OSError as error:
        code = error.errno or errno.EINVAL
    if code in _UNDER_WAY:
        selector.register(connection, selectors.EVENT_WRITE, number)
        return None
    connection.close()
    return _state(code)


def _end(selector: selectors.BaseSelector, connection: Any) -> int:
    """Close one connection and return what became of it, an errno."""
    selector.unregister(connection)
    with connection:
        code: int = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return code


def _state(code: int) -> str:
    if code == 0:
        return OPEN
    if code == errno.ECONNREFUSED:
        return REFUSED
    return SILENT if code == errno.ETIMEDOUT else os.strerror(code)
