"""Let a new master synchronise its first replicas at once, and as described from then on.

Since Redis 7 a master waits ``repl-diskless-sync-delay`` (5 s) for more replicas before the first synchronisation. That
is right for a big dataset and only costs time where there is none yet. The running value alone is changed, never the
file; a run that dies in between leaves 0, which the next one puts back.
"""

from __future__ import annotations

from ..protocol.resp import Connection

DELAY = "repl-diskless-sync-delay"


def skip_sync_delay(connection: Connection) -> None:
    """Make a new, empty master synchronise without waiting."""
    connection.call("CONFIG", "SET", DELAY, "0")


def restore_sync_delay(connection: Connection, delay: str) -> None:
    """Put the described delay back."""
    connection.call("CONFIG", "SET", DELAY, delay)
