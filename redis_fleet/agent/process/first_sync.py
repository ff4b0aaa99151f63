"""Let a replica be synchronised at once, and as described from then on.

Since Redis 7 a master waits ``repl-diskless-sync-delay`` (5 s) for more replicas before it sends all of its data. That
is right for replicas that may come back together and only costs time where there is no data yet, or where one is
restarted after the other. The running value alone is changed, never the file; a run that dies in between leaves 0,
which the next one puts back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .. import login
from ..messages.process import ManagedProcess
from ..protocol.resp import Connection, ReplyError, pairs

DELAY = "repl-diskless-sync-delay"
_NONE = "0"


def skip_sync_delay(connection: Connection) -> None:
    """Make a master synchronise without waiting."""
    connection.call("CONFIG", "SET", DELAY, _NONE)


def restore_sync_delay(connection: Connection, delay: str) -> None:
    """Put the described delay back."""
    connection.call("CONFIG", "SET", DELAY, delay)


@contextmanager
def without_sync_delay(master: ManagedProcess) -> Iterator[None]:
    """Let a master synchronise without waiting for the time; one that cannot be told waits."""
    before = _NONE
    with suppress(OSError, ReplyError, LookupError):
        connection, _ = login.connect(master)
        with connection:
            before = pairs(connection.call("CONFIG", "GET", DELAY))[DELAY]
            skip_sync_delay(connection)
    try:
        yield
    finally:
        if before != _NONE:
            with suppress(OSError, ReplyError):
                connection, _ = login.connect(master)
                with connection:
                    restore_sync_delay(connection, before)
