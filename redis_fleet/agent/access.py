"""All that it takes to talk to a process, and the one way to do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .codec import Message
from .endpoint import Endpoint
from .protocol.resp import Connection
from .secret import Secret


@dataclass(frozen=True)
class Access(Message):
    """Where a process listens, and as whom one gets in; without a ``secret`` as nobody in particular."""

    endpoint: Endpoint
    secret: Optional[Secret] = None


def connect(access: Access, timeout: float = 2.0) -> Connection:
    """Connect and authenticate; ``timeout`` (seconds) bounds connecting and each reply. Raises OSError, ReplyError."""
    password = access.secret.reveal() if access.secret else None
    return Connection(access.endpoint.address, access.endpoint.port, password, timeout)
