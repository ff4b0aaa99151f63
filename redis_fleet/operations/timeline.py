"""What happened when: passes each event on at once and speaks up by itself when nothing else is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from redis_fleet.operations.ports import Code, Kind, Say, TimelineEvent

SILENCE = 1.5


class Timeline:
    """The events of one operation; inside its ``with`` block no two seconds pass without one.

    ``state`` is asked for the words of a tick (``still refused, 3.2 s``), in a thread of its own: the operation may be
    waiting for a machine meanwhile.
    """

    def __init__(self, say: Say, state: Callable[[], str], silence: float = SILENCE) -> None:
        """Begin at 0 ms; ``silence`` (seconds) is the time after which a tick is said."""
        self._say = say
        self._state = state
        self._silence = silence
        self._began = self._spoke = time.monotonic()
        self._events: list[TimelineEvent] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="operation-ticks", daemon=True)

    def __enter__(self) -> Timeline:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def now_ms(self) -> int:
        """Milliseconds since the operation began."""
        return round((time.monotonic() - self._began) * 1000)

    @property
    def events(self) -> tuple[TimelineEvent, ...]:
        """All events so far, in the order in which they happened."""
        with self._lock:
            return tuple(sorted(self._events, key=lambda event: event.at_ms))

    def note(self, text: str, kind: Kind = "step", at_ms: int | None = None, code: Code = "") -> None:
        """Say an event of now, or of ``at_ms`` when it is only heard of now."""
        with self._lock:
            self._append(TimelineEvent(self.now_ms if at_ms is None else at_ms, text, kind, code))

    def _append(self, event: TimelineEvent) -> None:
        self._events.append(event)
        self._spoke = time.monotonic()
        self._say(event)

    def _tick(self) -> None:
        wait = self._silence
        while not self._ended.wait(wait):
            with self._lock:
                wait = self._spoke + self._silence - time.monotonic()
                if wait <= 0:
                    self._append(TimelineEvent(self.now_ms, self._state(), "tick"))
                    wait = self._silence
