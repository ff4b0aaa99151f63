"""An operation that is interrupted between two looks, never in the middle of a kill, a release or a hand-over."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from redis_fleet.agent.messages.client import Look, Tally
from redis_fleet.operations.ports import Client


class InterruptibleClient:
    """A ``Client`` whose next look raises KeyboardInterrupt once ``interrupted`` is set; only one does.

    A signal that broke into a module call would leave open whether the process on the other end was killed.
    """

    def __init__(self, client: Client, interrupted: threading.Event) -> None:
        """Keep both."""
        self._client = client
        self._interrupted = interrupted
        self._told = False

    def start(self) -> None:
        """Start the writer."""
        self._client.start()

    def look(self) -> Look:
        """Look, or tell of the interrupt."""
        if self._interrupted.is_set() and not self._told:
            self._told = True
            raise KeyboardInterrupt
        return self._client.look()

    def stop(self) -> Tally | None:
        """End the writer."""
        return self._client.stop()


def noting_interrupts() -> threading.Event:
    """Return what is set by Ctrl-C or SIGTERM, which must not end this process before it has tidied up.

    An interrupted run sends its workers SIGINT and then SIGTERM; by default they end at once.
    """
    interrupted = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        interrupted.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    return interrupted
