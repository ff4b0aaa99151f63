"""What a rule is, and the register of all: a rule is declared beside the lowest code that decides it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Needs = Literal["file", "machine", "plan"]
Severity = Literal["error", "warning"]
F = TypeVar("F", bound=Callable[..., Any])
NEVER_STARTS = "the server refuses to start with it"
_PREFLIGHT = "the pre-flight: check --hosts"


@dataclass(frozen=True)
class Rule:
    """One thing that hurts, and how it is known.

    ``id``: E and a number for an error, W for a warning. ``reason``: what happens to whoever does it anyway.
    ``source``: where that was seen. ``remedy``: what to do, whatever the case. ``directives``: the canonical names that
    it is about. ``needs``: what it can be judged from, the ``file``, a ``machine`` or a ``plan``; a rule that needs a
    machine may have something to say about the file, too. ``firm``: why it cannot be silenced, empty when it can.
    ``elsewhere``: in words who judges it, where the file alone cannot break it.
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

    @property
    def severity(self) -> Severity:
        """Whether it stops a deployment."""
        return "error" if self.id.startswith("E") else "warning"

    @property
    def can_be_silenced(self) -> bool:
        """Whether a reason in words is enough to go on."""
        return not self.firm

    @property
    def deciders(self) -> tuple[str, ...]:
        """The functions that say whether it is broken, by dotted name, as far as their modules were read."""
        return tuple(_DECIDERS.get(self.id, ()))


_REGISTER: dict[str, Rule] = {}
_DECIDERS: dict[str, list[str]] = {}


def declare(
    id_: str,
    title: str,
    *,
    reason: str,
    source: str,
    remedy: str,
    directives: Iterable[str] = (),
    needs: Needs = "file",
    firm: str = "",
    elsewhere: str | None = None,
) -> Rule:
    """Register a rule; raises ValueError for an identifier that is none, or that another rule has.

    ``elsewhere`` is the pre-flight for what needs a machine, unless another is named, or none.
    """
    if elsewhere is None:
        elsewhere = _PREFLIGHT if needs == "machine" else ""
    if not re.fullmatch(r"[EW]\d+", id_):
        raise ValueError(f"'{id_}' is not an identifier such as E8 or W3")
    if id_ in _REGISTER:
        raise ValueError(f"there are two rules {id_}")
    made = Rule(id_, title, reason, source, remedy, tuple(directives), needs, firm, elsewhere)
    return _REGISTER.setdefault(id_, made)


def decides(*rules: Rule) -> Callable[[F], F]:
    """Note that a function says whether these rules are broken, whatever it is given to tell it from."""

    def note(function: F) -> F:
        for rule in rules:
            _DECIDERS.setdefault(rule.id, []).append(f"{function.__module__}.{function.__qualname__}")
        return function

    return note


def registered() -> tuple[Rule, ...]:
    """Return what is registered so far, errors first, by number."""
    return tuple(sorted(_REGISTER.values(), key=_order))


def _order(each: Rule) -> tuple[str, int]:
    return each.id[0], int(each.id[1:])
