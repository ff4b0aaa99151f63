"""What crosses the borders of the shipped code: messages, and connections made in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.verbs import VERBS, perform
from redis_fleet.project import ROOT

AGENT = ROOT / "redis_fleet" / "agent"
# Files of JSON lines that are read as they are; the result of a verb as Ansible has it.
JSON = {"codec.py", "runs/runlog.py", "performing.py", "verbs.py", "errors.py"}
LOOSE = re.compile(r"\b(dict|Mapping|MutableMapping)\[str, Any\]|\bAnswer\b")
FILES = {str(path.relative_to(AGENT)): path for path in sorted(AGENT.rglob("*.py"))}


def signatures(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the public functions of a file with their annotations as text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            parts = [*(each.annotation for each in given), node.returns]
            yield node.name, " ".join(ast.unparse(part) for part in parts if part is not None)


@pytest.mark.parametrize("name", sorted(FILES.keys() - JSON))
def test_what_is_asked_and_answered_has_a_type(name: str) -> None:
    assert [function for function, types in signatures(FILES[name]) if LOOSE.search(types)] == []


def test_connections_are_made_in_one_place() -> None:
    calls = [
        path
        for path in sorted(AGENT.parent.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Connection"
    ]
    assert calls == [AGENT / "access.py"]


@pytest.mark.parametrize("name", sorted(FILES))
def test_nothing_compares_with_the_name_of_a_kind(name: str) -> None:
    compared = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare) and re.search(r"\.kind\b.*'(server|sentinel)'", ast.unparse(node))
    ]
    assert compared == []


def test_each_verb_is_asked_for_by_one_request() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES.values())
    assert sorted(re.findall(r'^    verb = "(.*)"$', text, re.MULTILINE)) == sorted(VERBS)


def test_a_failure_has_a_code(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.mkdir()
    result = perform("show-lock", f'{{"lock": "{lock}"}}', [], dry=False)
    assert (result["failed"], result["code"]) == (True, "failed")
    assert perform("observe", '{"processes": []}', [], dry=False)["answer"]["processes"] == {}
