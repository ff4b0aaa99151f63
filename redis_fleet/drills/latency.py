"""A second client that asks all the time, and how long it waits for each answer while something else happens."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.drills.lab import LabError, Server
from redis_fleet.drills.report import Chart, Mark, Series

# Often enough to see a pause of some milliseconds, seldom enough to leave a small machine to the server.
_PAUSE = 0.002
_POINTS = 400
_PATIENCE = 60.0


@dataclass(frozen=True)
class Answer:
    """One question of the second client: when it was asked, and how long the answer took, both in seconds."""

    at: float
    took: float


@dataclass(frozen=True)
class Span:
    """From when to when something was done, in seconds of the second client's clock."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


class SecondClient:
    """Asks a server for one key in a thread of its own, as long as it is entered; raises LabError when it broke down.

    Times are seconds since it was entered.
    """

    def __init__(self, server: Server, key: str) -> None:
        """Prepare; ``key`` is what it asks for."""
        self._server, self._key = server, key
        self._began = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="second client", daemon=True)
        self._failure = ""
        self.answers: list[Answer] = []
        self.marks: list[Mark] = []

    def __enter__(self) -> SecondClient:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(_PATIENCE)
        if self._failure and kind is None:
            raise LabError(f"the second client broke down: {self._failure}")

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def begins(self, name: str) -> float:
        """Note on the chart that something that lasts begins now; returns when."""
        return self._mark(name, "begins")

    def ends(self, name: str) -> float:
        """Note on the chart that it ends now; returns when."""
        return self._mark(name, "ends")

    def _mark(self, name: str, code: Literal["begins", "ends"]) -> float:
        at = self.now
        self.marks.append(Mark(at, f"{name} {code}", code=code, about=name))
        return at

    def longest(self, span: Span) -> float:
        """Return the longest wait, in seconds, of a question that was open at any time of a span."""
        return max((each.took for each in self.answers if _touches(each, span)), default=0.0)

    def answered(self, span: Span) -> int:
        """Return how many questions were both asked and answered within a span."""
        return sum(1 for each in self.answers if each.at >= span.begin and each.at + each.took <= span.end)

    def chart(self, title: str, meaning: str) -> Chart:
        """Return the waits as a picture, in milliseconds."""
        return Chart(
            "latency", title, meaning, (Series("second client", "ms", _thinned(self.answers)),), tuple(self.marks)
        )

    def _ask(self) -> None:
        try:
            with self._server.client(_PATIENCE) as connection:
                while not self._over.is_set():
                    at = self.now
                    connection.call("GET", self._key)
                    self.answers.append(Answer(at, self.now - at))
                    time.sleep(_PAUSE)
        except (OSError, ReplyError) as error:
            self._failure = str(error) or type(error).__name__


def _touches(answer: Answer, span: Span) -> bool:
    return answer.at < span.end and answer.at + answer.took > span.begin


def _thinned(answers: list[Answer]) -> tuple[tuple[float, float], ...]:
    """Return the points of a line, of neighbours only the longest wait: that is the one that matters."""
    width = max(1, -(-len(answers) // _POINTS))
    groups = [answers[start : start + width] for start in range(0, len(answers), width)]
    longest = [max(group, key=lambda each: each.took) for group in groups]
    return tuple((round(each.at, 4), round(each.took * 1000, 3)) for each in longest)
