"""Imports run only downward: docs/architecture.md draws the floors, and every import is held against the picture."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from redis_fleet.project import ROOT

PACKAGE = ROOT / "redis_fleet"
PICTURE = ROOT / "docs" / "architecture.md"
SHIPPED_AS = "ansible.module_utils."
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}


PACKAGES = ("redis_fleet", "redis_fleet.agent")


def floors() -> list[list[str]]:
    """Return the rooms of each floor, from the top."""
    drawn = PICTURE.read_text(encoding="utf-8").split("```rooms\n")[1].split("```")[0]
    return [line.split() for line in drawn.splitlines()]


HEIGHT = {room: -number for number, rooms in enumerate(floors()) for room in rooms}


def room(module: str) -> str:
    """Return the room of a module: ``plan``, ``agent.process``; a module beside the rooms is one by itself."""
    parts = module.split(".")[1:]
    return ".".join(parts[:2]) if parts[0] == "agent" else parts[0]


def imported(module: str) -> Iterator[str]:
    """Yield the modules of ours that a module imports, those for the type checker alone too."""
    file = MODULES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES and "." in alias.name)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            whole = ".".join([*above, *([node.module] if node.module else [])]).removeprefix(SHIPPED_AS)
            for alias in node.names:
                named = f"{whole}.{alias.name}"
                yield from (each for each in (named, whole) if each in MODULES and each not in PACKAGES)


def test_every_room_is_drawn_once_and_none_that_is_not_there() -> None:
    there = {room(module) for module in MODULES if module not in PACKAGES}
    drawn = [each for rooms in floors() for each in rooms]
    assert sorted(drawn) == sorted(there)


@pytest.mark.parametrize("module", [each for each in MODULES if each not in PACKAGES])
def test_a_module_imports_only_from_floors_below(module: str) -> None:
    own = room(module)
    up = {each for each in imported(module) if room(each) != own and HEIGHT[room(each)] >= HEIGHT[own]}
    assert not up, f"{module} is in {own}"
