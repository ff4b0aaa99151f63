"""No program decides by the words of a message: whoever improves a sentence breaks nothing.

A message is the text of an exception, or one of the attributes below. To compare it with a literal, to cut it at one or
to search it by a pattern is to decide by it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from redis_fleet.project import ROOT

PACKAGE = ROOT / "redis_fleet"
_SENTENCES = {"advice", "fix", "message", "msg", "reason", "remedy", "said", "seen", "strerror", "what", "why"}
_NAMED = {"complaint", "message", "reason", "refusal", "remedy", "said", "sentence"}
_CUTS = {
    *("startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition", "split", "find", "index"),
    *("match", "search", "fullmatch"),
}
_SERVER, _TOOL = "a server's or a library's own words, which have no code", "what a command printed"
# What is compared, by file, and why it has to be.
_ALLOWED = {
    "agent/host/packages/apt.py": {"'Could not get lock' not in said": _TOOL},
    "agent/inspect/config_test.py": {
        "_VERSION.search(looked.said)": _TOOL,
        "_FATAL.search(looked.said)": _SERVER,
        "_FATAL.search(said)": _SERVER,
    },
    "agent/login.py": {"'invalid password' in str(error)": _SERVER},
    "agent/process/sentinel_commands.py": {"'No such master' in str(error)": _SERVER},
    "ansible/action/redis_fleet_preflight.py": {"str(error).split()": "made one line, not decided by"},
    "ansible/action/redis_fleet_reach.py": {"str(error).split()": "made one line, not decided by"},
    "config_test/complaints.py": {
        "pattern.search(said)": _SERVER,
        r"re.search(f'(?<!\\w){re.escape(word)}(?!\\w)', said)": _SERVER,
    },
    "description/nodes.py": {"'document' in said": _SERVER},
    "drills/aof_traps.py": {"'Bad file format' in said": _SERVER, "said.partition('# ')": _SERVER},
    "drills/lock_failover.py": {"str(refusal).startswith('NOREPLICAS')": _SERVER},
    "drills/rdb.py": {"said.split('* ')": _SERVER},
    "drills/rewrite.py": {r"re.search('on (\\d+)% growth', said)": _SERVER},
    "engine_probe/probe.py": {
        "'protected config' in complaint": _SERVER,
        "re.search('immutable|Unsupported CONFIG parameter', complaint)": _SERVER,
        "pattern.search(complaint)": _SERVER,
    },
}


def _errors(tree: ast.AST) -> set[str]:
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}


def _is_message(node: ast.AST, errors: set[str]) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in _SENTENCES
    if isinstance(node, ast.Name):
        return node.id in _NAMED
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
        held = node.args[0]
        return isinstance(held, ast.Name) and held.id in errors
    return False


def _literal(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def decisions(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that decide by a message."""
    errors = _errors(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(_is_message(side, errors) for side in sides) and any(map(_literal, sides)):
                yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CUTS:  # noqa: SIM102
            if any(_is_message(part, errors) for part in (node.func.value, *node.args)):
                yield node


def test_no_program_decides_by_words() -> None:
    found: dict[str, set[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in decisions(ast.parse(file.read_text(encoding="utf-8"))):
            found.setdefault(str(file.relative_to(PACKAGE)), set()).add(ast.unparse(node))
    assert found == {file: set(allowed) for file, allowed in _ALLOWED.items()}


@pytest.mark.parametrize(
    "code",
    [
        "problem.what == 'is missing'",
        "'is missing' in problem.what",
        "remedy.startswith('write ')",
        "problem.remedy.partition('; ')",
        "_KEY.match(problem.advice)",
        "try:\n    pass\nexcept ValueError as error:\n    'line' in str(error)",
    ],
)
def test_it_sees_such_a_decision(code: str) -> None:
    assert len(list(decisions(ast.parse(code)))) == 1
