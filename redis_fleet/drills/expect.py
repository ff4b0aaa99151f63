"""What a reply should be, where it is not simply equal to something."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from redis_fleet.agent.protocol.resp import ReplyError, pairs


@dataclass(frozen=True)
class Expectation:
    """A judgement of a reply, and the words for it. An error reply is a ReplyError."""

    text: str
    holds: Callable[[Any], bool]


class _Anything:
    """Stands for no expectation at all."""


ANYTHING = _Anything()


def error(beginning: str) -> Expectation:
    """Expect an error reply that begins with these words."""
    return Expectation(
        f"(error) {beginning} …", lambda reply: isinstance(reply, ReplyError) and str(reply).startswith(beginning)
    )


def members(values: Iterable[str]) -> Expectation:
    """Expect these elements in any order."""
    wanted = sorted(values)
    return Expectation(
        f"{', '.join(wanted)}, in any order", lambda reply: isinstance(reply, list) and sorted(reply) == wanted
    )


def fields(values: dict[str, str]) -> Expectation:
    """Expect a hash: these fields with these values, in any order."""
    text = ", ".join(f"{name} {value}" for name, value in values.items())
    return Expectation(
        f"{text}, in any order", lambda reply: isinstance(reply, list) and len(reply) == 2 * len(values)
        and pairs(reply) == values
    )  # fmt: skip


def one_of(values: Iterable[str]) -> Expectation:
    """Expect one of several replies."""
    wanted = list(values)
    return Expectation(f"one of {', '.join(wanted)}", lambda reply: reply in wanted)


def that(text: str, holds: Callable[[Any], bool]) -> Expectation:
    """Expect what only a function can tell; it is not asked about error replies."""
    return Expectation(text, lambda reply: not isinstance(reply, ReplyError) and holds(reply))
