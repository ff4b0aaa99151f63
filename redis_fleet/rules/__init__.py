"""The rules that a description is held against: what Redis would accept and somebody would regret.

One function in one of the modules here is one rule; its tests are in ``tests/rules``. What only a machine can break is
judged in ``hosts``. All modules are read, none lists the others; rules that code further down decides (the catalogue,
the references of a description) are declared there.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from redis_fleet.rulebook import Rule, registered

__all__ = ["Rule", "all_rules", "find"]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, errors first, by number."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
    return registered()


def find(id_: str) -> Rule | None:
    """Return a rule by its identifier, whatever its case."""
    return _by_id().get(id_.upper())


@cache
def _by_id() -> dict[str, Rule]:
    return {rule.id: rule for rule in all_rules()}
