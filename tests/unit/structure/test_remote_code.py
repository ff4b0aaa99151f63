"""What runs on the machines: Python 3.9, the standard library, and itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.project import ROOT

PACKAGE = ROOT / "redis_fleet"
SHIPPED = sorted((PACKAGE / "agent").rglob("*.py"))
MODULES = sorted((PACKAGE / "ansible" / "modules").glob("redis_fleet_*.py"))


def names(files: list[Path]) -> list[str]:
    """Return test ids."""
    return [str(file.relative_to(PACKAGE)) for file in files]


def parsed(file: Path) -> ast.Module:
    """Return the tree of a file as Python 3.9 reads it; SyntaxError where it does not."""
    return ast.parse(file.read_text(encoding="utf-8"), str(file), feature_version=(3, 9))


@pytest.mark.parametrize("file", [*SHIPPED, *MODULES], ids=names([*SHIPPED, *MODULES]))
def test_python_3_9_reads_it(file: Path) -> None:
    assert not [node for node in ast.walk(parsed(file)) if isinstance(node, ast.Match)]


@pytest.mark.parametrize("file", SHIPPED, ids=names(SHIPPED))
def test_it_imports_the_standard_library_and_itself(file: Path) -> None:
    for level, module in imports(parsed(file)):
        if level == 0:
            assert module.partition(".")[0] in sys.stdlib_module_names, module
        else:
            target = file.parents[level - 1].joinpath(*module.split("."))
            assert target.with_suffix(".py") in SHIPPED or target / "__init__.py" in SHIPPED, module


@pytest.mark.parametrize("file", MODULES, ids=names(MODULES))
def test_modules_import_ansible_and_what_is_shipped(file: Path) -> None:
    for level, module in imports(parsed(file)):
        ours = module.removeprefix("ansible.module_utils.redis_fleet.")
        assert level == 0
        assert (
            module == "ansible.module_utils.basic"
            or module.partition(".")[0] in sys.stdlib_module_names
            or PACKAGE.joinpath(*ours.split(".")).with_suffix(".py") in SHIPPED
        ), module


@pytest.mark.parametrize("file", [*SHIPPED, *MODULES], ids=names([*SHIPPED, *MODULES]))
def test_no_type_is_worked_out_at_run_time_that_3_9_does_not_have(file: Path) -> None:
    """Annotations are texts there, but an alias such as ``X = int | None`` is an expression."""
    tree = parsed(file)
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert not tree.body[1:] or imported
    for statement in tree.body:
        value = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
            assert isinstance(value.left, (ast.Set, ast.Constant, ast.Call)), ast.unparse(statement)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("dataclass"):
            assert not {keyword.arg for keyword in node.keywords} & {"slots", "kw_only"}
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "zip":
            assert not node.keywords


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield level and module of each import that happens at run time; TYPE_CHECKING is false there."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.level, node.module
            else:
                yield from ((node.level, alias.name) for alias in node.names)
        waiting += ast.iter_child_nodes(node)
