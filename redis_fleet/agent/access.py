"""All that it takes to talk to a process, and the one way to do it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Optional

from .codec import Message
from .endpoint import Endpoint
from .protocol.resp import Connection
from .secret import Secret
from .tls import Tls, secured


@dataclass(frozen=True)
class Access(Message):
    """Where a process listens, and as whom one gets in; without a ``secret`` as nobody in particular.

    ``user`` is empty for the default user. With ``tls`` it is spoken there, but not on a Unix socket; ``name`` is what
    the certificate of the process must have (empty: the address that is connected to).
    """

    endpoint: Endpoint
    secret: Optional[Secret] = None
    user: str = ""
    tls: Optional[Tls] = None
    name: str = ""


def connect(access: Access, timeout: float = 2.0) -> Connection:
    """Connect and authenticate; ``timeout`` (seconds) bounds connecting and each reply. Raises OSError, ReplyError."""
    place, tls = access.endpoint, access.tls

    def wrapped(plain: socket.socket) -> socket.socket:
        return secured(plain, tls, access.name or place.address) if tls and not place.on_socket else plain

    password = access.secret.reveal() if access.secret else None
    return Connection(place.address, place.port, password, timeout, user=access.user, secured=wrapped)
