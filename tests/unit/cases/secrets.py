"""Whether a value holds a password as a text, however deep: what holds it as a Secret does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from redis_fleet.model import Fleet


def in_clear(value: object, secrets: set[str]) -> list[str]:
    """Return the texts in a value, through dataclasses, their caches and containers, that hold one of these."""
    texts = [str(each) for each in _leaves(value) if isinstance(each, (str, bytes))]
    return [text for text in texts if any(secret in text for secret in secrets)]


def passwords_of(fleet: Fleet) -> set[str]:
    """Return the passwords of a fleet's services and processes."""
    given = [*(each.password for each in fleet.services), *(each.password for each in fleet.processes)]
    return {password.reveal() for password in given if password}


def _leaves(value: object) -> Iterator[object]:
    if is_dataclass(value) and not isinstance(value, type):
        yield from _leaves([getattr(value, each.name) for each in fields(value)])
        yield from _leaves(getattr(value, "__dict__", {}))
    elif isinstance(value, Mapping):
        yield from _leaves([*value.keys(), *value.values()])
    elif isinstance(value, (tuple, list, set, frozenset)):
        for one in value:
            yield from _leaves(one)
    else:
        yield value
