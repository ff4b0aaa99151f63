"""Every rule is decided where its identifier is registered, and named by its object everywhere else."""

from __future__ import annotations

import ast
import re
from importlib import import_module

import pytest

import redis_fleet.plan.planner  # noqa: F401  (some rules are decided by the plan)
from redis_fleet.project import ROOT
from redis_fleet.rulebook import Rule, declare
from redis_fleet.rules import all_rules

PACKAGE = ROOT / "redis_fleet"
_REGISTERS = ("declare", "rule")


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_some_function_decides_it(rule: Rule) -> None:
    assert rule.deciders
    for name in rule.deciders:
        module, _, function = name.rpartition(".")
        assert hasattr(import_module(module), function)


def test_no_identifier_is_written_away_from_the_register() -> None:
    bare = []
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        registering = {
            id(node.args[0])
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _REGISTERS
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or id(node) in registering:
                continue
            if isinstance(node.value, str) and re.fullmatch(r"[EW]\d+", node.value):
                bare.append(f"{file.relative_to(ROOT)}:{node.lineno}: {node.value}")
    assert bare == []


@pytest.mark.parametrize("id_", ["E1", "X1", "E", "1"])
def test_an_identifier_is_one_and_is_free(id_: str) -> None:
    with pytest.raises(ValueError, match=id_):
        declare(id_, "a title", reason="a reason", source="a source", remedy="a remedy")
