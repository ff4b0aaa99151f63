"""Rules that a description can break: one function, given all of it, is one rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from redis_fleet.description.nodes import Path
from redis_fleet.problems import Position
from redis_fleet.rulebook import NEVER_STARTS, Needs, Rule, decides, declare
from redis_fleet.rules.subject import Subject

__all__ = ["NEVER_STARTS", "Finder", "Finding", "Rule", "finders", "finds", "rule"]


@dataclass(frozen=True)
class Finding:
    """Where a description breaks a rule: the path in the file, what is wrong there, and what to do.

    Without a ``remedy`` it is the rule's own. ``position`` where it is not that of the path.
    """

    path: Path
    what: str
    remedy: str = ""
    position: Position | None = None


Finder = Callable[[Subject], Iterator[Finding]]
_FINDERS: dict[Rule, Finder] = {}


def rule(
    id_: str,
    title: str,
    *,
    reason: str,
    source: str,
    remedy: str,
    directives: Iterable[str] = (),
    needs: Needs = "file",
    firm: str = "",
) -> Callable[[Finder], Rule]:
    """Make a rule of a function that yields where a description breaks it."""
    about = {"reason": reason, "source": source, "remedy": remedy, "firm": firm}
    return finds(declare(id_, title, directives=directives, needs=needs, elsewhere="", **about))


def finds(declared: Rule) -> Callable[[Finder], Rule]:
    """Make a function judge a whole description by a rule that other code, below this, decides in part."""

    def register(function: Finder) -> Rule:
        _FINDERS[declared] = decides(declared)(function)
        return declared

    return register


def finders() -> Mapping[Rule, Finder]:
    """Return the functions that judge a whole description, by their rules, as far as their modules were read."""
    return _FINDERS
