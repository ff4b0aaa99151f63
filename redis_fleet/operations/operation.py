"""What all operations on a running service have in common: a client under load, bounded waits, undoing, a verdict."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack

from redis_fleet.agent.messages.client import Tally
from redis_fleet.agent.messages.service import ServiceAccess, ServiceView
from redis_fleet.operations.ports import Client, Say, waits
from redis_fleet.operations.report import Measured
from redis_fleet.operations.timeline import Timeline
from redis_fleet.operations.watcher import Watcher

WARM_UP = 500
PAUSE = 0.1
# A failover takes down-after plus about 1.2 s where nothing else is wrong (measured on Redis 7.0).
MARGIN_MS = 2000


class GaveUpError(Exception):
    """A step did not come to its end in time; the text is the problem's sentence."""


class ClientFailedError(GaveUpError):
    """The client under load broke down, so that nothing can be measured any more."""


class Operation(ABC):
    """One operation on one service, done once: its steps share what has been seen and said.

    A subclass says what the ``steps`` are and how they are taken back. Whatever happens, also KeyboardInterrupt, the
    client is stopped and ``undo`` is called.
    """

    def __init__(self, target: ServiceAccess, client: Client, say: Say, seen: ServiceView) -> None:
        """Keep them; ``seen`` is what the decision to begin was made on. Nothing is touched yet."""
        self._target, self._client = target, client
        self._waits = waits(target)
        self._timeline = Timeline(say, self._state)
        self._watcher = Watcher(target, self._timeline, seen)
        self._doing = ""
        self._problems: list[str] = []

    @abstractmethod
    def steps(self) -> None:
        """Do it, step after step; raises GaveUpError where one does not come to its end."""

    @abstractmethod
    def undo(self) -> None:
        """Put back what must not stay, once: it is called after every end, and may be called twice."""

    @abstractmethod
    def gave_up(self) -> None:
        """Do what is left to do after a GaveUpError; its problem is noted, ``undo`` follows."""

    @abstractmethod
    def interrupted(self) -> None:
        """Come to an end that can be left, after a KeyboardInterrupt; ``undo`` follows, and the interrupt again."""

    def notice(self, seen: ServiceView) -> None:  # noqa: B027 (most operations have nothing to note)
        """Take note of what every look finds."""

    def perform(self, *, measure: bool = True) -> Measured:
        """Do it all and return what the client measured; nothing where ``measure`` is false.

        Raises what the steps raise other than GaveUpError.
        """
        tally = None
        with self._timeline, ExitStack() as always:
            always.callback(self._client.stop)
            always.callback(self.undo)
            try:
                self.steps()
            except GaveUpError as error:
                self.problem(str(error))
                self.gave_up()
            except KeyboardInterrupt:
                self.interrupted()
                raise
            self.undo()
            if measure:
                self._doing = "reading the written numbers back"
                tally = self._client.stop()
        if measure:
            self._problems += judge(self._target, tally)
        return Measured.of(tally)

    def _state(self) -> str:
        """Return the words of a tick."""
        return self._watcher.state() or self._doing

    def begin(self, text: str) -> None:
        """Say what is done now."""
        self._doing = text
        self._timeline.note(text)

    def problem(self, text: str) -> None:
        """Say what is not as it should be."""
        self._problems.append(text)
        self._timeline.note(text, "problem")

    def until(self, done: Callable[[ServiceView], bool], seconds: float, failure: str = "") -> None:
        """Look again and again until it is done; raises GaveUpError with ``failure`` after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not done(self._look()):
            if self._watcher.failed:
                raise ClientFailedError(f"the writer broke down: {self._watcher.failed}")
            if time.monotonic() > deadline:
                raise GaveUpError(failure)
            time.sleep(PAUSE)

    def await_agreement(
        self,
        missing: Callable[[ServiceView], list[str]],
        seconds: float,
        agreed: str,
        *,
        served: bool = False,
        vain: Callable[[ServiceView], str] = lambda _: "",
    ) -> None:
        """Look until nothing is missing and say so; what still is after ``seconds`` are problems, each a sentence.

        With ``served`` the client's writes have to go through, too. ``vain`` says why there is nothing to wait for.
        """
        left: list[str] = []

        def done(seen: ServiceView) -> bool:
            left[:] = missing(seen)
            if left and (why := vain(seen)):
                self.problem(why)
                raise GaveUpError
            return not left and not (served and self._watcher.refusing)

        try:
            self.until(done, seconds)
        except ClientFailedError as error:
            self.problem(str(error))
        except GaveUpError:
            for sentence in left:
                self.problem(sentence)
        else:
            self._timeline.note(agreed)

    def _look(self) -> ServiceView:
        seen = self._watcher.take(self._client.look())
        self.notice(seen)
        return seen

    def warm_up(self, untouched: str) -> None:
        """Start the client and wait until its writes go through; ``untouched`` says what is as it was."""
        self.begin(f"start writing to {self._target.service}")
        self._client.start()
        bound = self._waits.warm_up
        self.until(
            lambda _: self._watcher.acknowledged >= WARM_UP and not self._watcher.refusing,
            bound,
            f"{WARM_UP} writes were not acknowledged within {bound:.0f} s; {untouched}",
        )


def judge(target: ServiceAccess, tally: Tally | None) -> list[str]:
    """Return what is wrong with the writer's numbers, each a sentence."""
    if tally is None:
        return ["the writer left no tally: what was lost is not known"]
    found = [tally.problem] if tally.problem else []
    if tally.acknowledged_lost:
        found.append(f"{tally.acknowledged_lost} of {tally.acknowledged} acknowledged writes were lost")
    limit = target.down_after_ms + MARGIN_MS
    if tally.write_gap_ms > limit:
        found.append(
            f"no write was acknowledged for {tally.write_gap_ms} ms, more than {limit} ms"
            f" (down-after-milliseconds {target.down_after_ms} + {MARGIN_MS})"
        )
    return found
