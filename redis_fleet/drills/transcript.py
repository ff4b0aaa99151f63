"""What a drill writes into while it runs: each step is shown at once and kept for the report."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, Protocol

from redis_fleet.agent.protocol.resp import Reply, ReplyError
from redis_fleet.drills.expect import ANYTHING, Expectation
from redis_fleet.drills.report import Chart, Measure, Step

Say = Callable[[Step], None]
_SHOWN = 12


class Caller(Protocol):
    """Whoever answers commands: a server of the lab, or a process of the deployment."""

    @property
    def name(self) -> str:
        """What it is called in the report."""

    def call(self, *words: object) -> Reply:
        """Send one command and return its reply; raises ReplyError or OSError."""


class Notebook:
    """Steps, numbers and charts in the order they came."""

    def __init__(self, say: Say, hidden: str = "") -> None:
        """``hidden`` is the key prefix of the drill, which is left out of what is shown."""
        self._say = say
        self._hidden = hidden
        self._part = ""
        self.steps: list[Step] = []
        self.measures: list[Measure] = []
        self.charts: list[Chart] = []

    def part(self, title: str) -> None:
        """Begin a part of the drill."""
        self._part = title

    def do(self, who: Caller, *words: object, expect: Any = ANYTHING, meaning: str = "") -> Any:
        """Send a command, hold its reply against what is expected, and return it; an error reply is returned too.

        ``expect`` is the reply itself or an Expectation; without it any reply that is no error is fine.
        """
        try:
            reply: Any = who.call(*words)
        except ReplyError as error:
            reply = error
        text, ok = judged(expect, reply)
        self._take(Step(self._part, who.name, command(words), shown(reply), text, ok, meaning))
        return reply

    def check(self, doing: str, seen: Any, *, ok: bool, expected: str = "", meaning: str = "", where: str = "") -> bool:
        """Note something that was seen other than by one command, and whether it is as it should be."""
        self._take(Step(self._part, where, doing, str(seen), expected, ok, meaning))
        return ok

    def measure(self, name: str, value: float, unit: str, meaning: str = "") -> None:
        """Note a number."""
        self.measures.append(Measure(name, value, unit, meaning))

    def chart(self, chart: Chart) -> None:
        """Note a picture for the report."""
        self.charts.append(chart)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was not as expected, one text each."""
        return tuple(
            f"{step.doing}: {step.seen}" + (f" (expected: {step.expected})" if step.expected else "")
            for step in self.steps
            if not step.ok
        )

    def _take(self, step: Step) -> None:
        if self._hidden:
            texts = {name: getattr(step, name).replace(self._hidden, "") for name in ("doing", "seen", "expected")}
            step = Step(**{**vars(step), **texts})
        self.steps.append(step)
        self._say(step)


def judged(expect: Any, reply: Any) -> tuple[str, bool]:
    """Hold a reply against what is expected: the expectation's words, and whether it holds."""
    if expect is ANYTHING:
        return "", not isinstance(reply, ReplyError)
    if isinstance(expect, Expectation):
        return expect.text, expect.holds(reply)
    return shown(expect), reply == expect and type(reply) is type(expect)


def command(words: tuple[object, ...]) -> str:
    """Return a command as one would type it."""
    return shlex.join(str(word) for word in words)


def shown(reply: Any) -> str:
    """Return a reply in the manner of redis-cli, a long one shortened."""
    if isinstance(reply, ReplyError):
        return f"(error) {reply}"
    if reply is None:
        return "(nil)"
    if isinstance(reply, int):
        return f"(integer) {reply}"
    if isinstance(reply, list):
        if not reply:
            return "(empty)"
        rows = [f"{number}) {shown(each)}" for number, each in enumerate(reply[:_SHOWN], start=1)]
        return "  ".join([*rows, *([f"… {len(reply)} in all"] if len(reply) > _SHOWN else [])])
    return str(reply) if reply in ("OK", "PONG", "QUEUED") else f'"{reply}"'
