"""What a rule is, and the register: one function is one rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from redis_fleet.description.nodes import Path
    from redis_fleet.problems import Position
    from redis_fleet.rules.subject import Subject

Needs = Literal["file", "machine", "plan"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """Where a description breaks a rule: the path in the file, what is wrong there, and what to do.

    Without a ``remedy`` it is the rule's own. ``position`` where it is not that of the path.
    """

    path: Path
    what: str
    remedy: str = ""
    position: Position | None = None


Check = Callable[["Subject"], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """One thing that hurts, and how it is known.

    ``id``: E and a number for an error, W for a warning. ``reason``: what happens to whoever does it anyway.
    ``source``: where that was seen. ``remedy``: what to do, whatever the case. ``directives``: the canonical names that
    it is about. ``needs``: what it can be judged from, the ``file``, a ``machine`` or a ``plan``; a rule that needs a
    machine may have something to say about the file, too. ``firm``: why it cannot be silenced, empty when it can.
    ``elsewhere``: what enforces it, for a rule without a ``check``.
    """

    id: str
    title: str
    reason: str
    source: str
    remedy: str
    directives: tuple[str, ...] = ()
    needs: Needs = "file"
    firm: str = ""
    elsewhere: str = ""
    check: Check | None = field(default=None, compare=False, repr=False)

    @property
    def severity(self) -> Severity:
        """Whether it stops a deployment."""
        return "error" if self.id.startswith("E") else "warning"

    @property
    def can_be_silenced(self) -> bool:
        """Whether a reason in words is enough to go on."""
        return not self.firm


_REGISTER: dict[str, Rule] = {}
NEVER_STARTS = "the server refuses to start with it"


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
) -> Callable[[Check], Check]:
    """Make a rule of a function that yields where a description breaks it."""

    def register(check: Check) -> Check:
        _add(Rule(id_, title, reason, source, remedy, tuple(directives), needs, firm, "", check))
        return check

    return register


def enforced_elsewhere(
    id_: str,
    title: str,
    *,
    reason: str,
    source: str,
    remedy: str,
    elsewhere: str,
    directives: Iterable[str] = (),
    needs: Needs = "file",
    firm: str = "",
) -> None:
    """Register a rule that no function here can judge; ``elsewhere`` says what does."""
    _add(Rule(id_, title, reason, source, remedy, tuple(directives), needs, firm, elsewhere))


def registered() -> tuple[Rule, ...]:
    """Return what is registered so far, errors first, by number."""
    return tuple(sorted(_REGISTER.values(), key=_order))


def _order(each: Rule) -> tuple[str, int]:
    return each.id[0], int(each.id[1:])


def _add(made: Rule) -> None:
    if not re.fullmatch(r"[EW]\d+", made.id):
        raise ValueError(f"'{made.id}' is not an identifier such as E8 or W3")
    if made.id in _REGISTER:
        raise ValueError(f"there are two rules {made.id}")
    _REGISTER[made.id] = made
