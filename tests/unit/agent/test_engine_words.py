"""The words of every engine for the same thing, and Sentinel's flags: known in one place."""

from __future__ import annotations

import ast

import pytest

from redis_fleet.agent import engine_words
from redis_fleet.project import ROOT

PACKAGE = ROOT / "redis_fleet"
FLAGS = engine_words.UNREACHED | engine_words.FAILING_OVER
# A drill shows what a Sentinel answers word for word; the watcher has a sentence for each flag.
SHOWN = {"drills/sentinel_lab.py", "operations/watcher.py"}


@pytest.mark.parametrize(
    ("word", "role"),
    [("master", "master"), ("primary", "master"), ("slave", "replica"), ("replica", "replica"), ("queen", "")],
)
def test_a_role_is_known_in_the_words_of_every_engine(word: str, role: str) -> None:
    assert engine_words.role(word) == role


@pytest.mark.parametrize(
    ("facts", "name", "value"),
    [
        ({"slave_repl_offset": "7"}, "slave_repl_offset", "7"),
        ({"replica_repl_offset": "7"}, "slave_repl_offset", "7"),
        ({"primary_link_status": "up"}, "master_link_status", "up"),
        ({"replica-priority": "0"}, "slave-priority", "0"),
        ({"replica_repl_offset": "7"}, "master_repl_offset", None),
    ],
)
def test_a_field_is_found_by_its_name_in_redis(facts: dict[str, str], name: str, value: str | None) -> None:
    assert engine_words.value(facts, name) == value


@pytest.mark.parametrize("word", ["slave", "replica"])
def test_the_replicas_of_a_master_are_read(word: str) -> None:
    facts = {
        f"{word}0": "ip=10.0.0.2,port=6379,state=online,offset=9,lag=1",
        f"{word}_priority": "100",
        "role": "master",
    }
    assert [(row["ip"], row["lag"]) for row in engine_words.replica_rows(facts)] == [("10.0.0.2", "1")]


def test_one_that_is_only_disconnected_is_not_down() -> None:
    found = engine_words.flags("slave,disconnected")
    assert engine_words.any_of(found, engine_words.UNREACHED)
    assert not engine_words.any_of(found, engine_words.DOWN | engine_words.FAILING_OVER)


def test_nobody_else_keeps_a_list_of_flags() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in FLAGS
    }
    assert found == {"agent/engine_words.py", *SHOWN}
