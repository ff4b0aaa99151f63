"""The script that compares the table with a binary: what it finds, and the column that it writes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from redis_fleet.catalogue import table
from redis_fleet.engine_probe import add_version
from redis_fleet.engine_probe.compare import Difference, differences
from redis_fleet.engine_probe.probe import OF_THIS_START, Answer, Answers, Shape

LIKE = "valkey-9.1.2"


def answers(**changed: Answer) -> Answers:
    """Return what a binary would say that is as the table has it, but for some names (``a_b`` stands for ``a-b``)."""
    column = table.catalogue("valkey", "9.1.2")
    known = {each.name: said(each) for each in column if not each.file_only}
    aliases = {each.alias: known[each.name] for each in column if each.alias and each.name in known}
    ignored = tuple(name for name in add_version.ignored() if column.ignored(name))
    own = {name.replace("_", "-"): answer for name, answer in changed.items()}
    return Answers("valkey", "9.1.2", {**known, **aliases, **own}, ignored)


def said(directive: table.Directive) -> Answer:
    live = "restart" if directive.live == "runtime-command" else directive.live
    return Answer(directive.default or "", live, directive.hidden, None)


def found(given: Answers) -> dict[str, str]:
    return {difference.name: difference.text for difference in differences(given)}


def test_a_binary_that_says_what_the_table_says_differs_in_nothing() -> None:
    assert differences(answers()) == []


@pytest.mark.parametrize(
    ("name", "answer", "text"),
    [
        ("timeout", Answer("7", "config-set", False, None), "default '0', the binary's is '7'"),
        ("timeout", Answer("0", "restart", False, None), "live config-set, the binary's is restart"),
        ("timeout", Answer("0", None, False, None), ""),
        ("timeout", Answer("0", "config-set", True, None), "hidden"),
        ("timeout", Answer("0", "config-set", False, Shape("memory")), "type integer, the binary's is memory"),
        (
            "timeout",
            Answer("0", "config-set", False, Shape("integer", limits=(0, 9))),
            "from 0 to 2147483647, the binary's are (0, 9)",
        ),
        (
            "appendfsync",
            Answer("everysec", "config-set", False, Shape("enum", ("always", "everysec", "never"))),
            "choices everysec, always, no; the binary's are always, everysec, never",
        ),
        (
            "new",
            Answer("3", "config-set", False, Shape("integer", limits=(0, 9))),
            'not in the table: {"section": "General", "type": "integer", "default": 3, "min": 0, "max": 9, '
            '"live": "config-set"}',
        ),
        ("rename_command", Answer("", "restart", False, None), "answered by CONFIG GET, which the table denies"),
        ("maxclients", Answer("1000", "config-set", False, None), ""),
        ("hz", Answer("10", "config-set", False, Shape("integer", limits=(0, 2147483647))), ""),
    ],
)
def test_what_differs_is_said(name: str, answer: Answer, text: str) -> None:
    assert found(answers(**{name: answer})) == ({name.replace("_", "-"): text} if text else {})


def test_a_name_that_the_binary_lacks_is_said_unless_builds_may_lack_it() -> None:
    given = answers()
    for name in ("timeout", "tls-port", "rdma-bind", "slaveof"):
        del given.directives[name]
    assert found(given) == {
        "replicaof": "the binary does not know the alias slaveof",
        "timeout": "not in the binary",
    }


def test_names_that_are_read_and_ignored_are_compared_too() -> None:
    given = dataclasses.replace(answers(), ignored=("dynamic-hz", "nosuch"))
    assert found(given)["nosuch"] == "ignored by the binary, not in the table"
    assert found(given)["lua-replicate-commands"] == "not ignored by the binary"
    assert "dynamic-hz" not in found(given)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of the table's files, which ``columns`` then changes instead."""
    for name in ("SERVER", "SENTINEL"):
        copy = tmp_path / getattr(add_version, name).name
        copy.write_bytes(getattr(add_version, name).read_bytes())
        monkeypatch.setattr(add_version, name, copy)
    return tmp_path


def test_the_files_are_as_the_script_writes_them() -> None:
    for file in (add_version.SERVER, add_version.SENTINEL):
        assert add_version.dump(json.loads(file.read_text("utf-8"))) == file.read_text("utf-8")


def test_a_new_column_is_a_copy_with_what_differs(files: Path) -> None:
    changes = [
        Difference("timeout", "", {"default": 7}),
        Difference("timeout", "", {"max": 99}),
        Difference("tcp-keepalive", "gone"),
        Difference("new", "", {"section": "General", "type": "bool", "default": "no", "live": "restart"}, new=True),
        Difference("lua-replicate-commands", "not ignored by the binary"),
    ]
    add_version.add("valkey", "9.2.0", "9.1.2", [(each.name, each.row, each.new) for each in changes], ["dynamic-hz"])
    data = json.loads((files / add_version.SERVER.name).read_text("utf-8"))
    rows = data["directives"]
    assert data["versions"][-2:] == [LIKE, "valkey-9.2.0"]
    assert rows["timeout"]["differs"] == [{"in": ["valkey-9.2.0"], "default": 7, "max": 99}]
    assert rows["tcp-keepalive"]["only_in"] == data["versions"][:-1]
    assert rows["new"]["only_in"] == ["valkey-9.2.0"]
    assert rows["mptcp"]["only_in"] == [LIKE, "valkey-9.2.0"]
    assert "lua-replicate-commands" in rows and rows["lua-replicate-commands"]["only_in"] == [
        "redis-6.0.16",
        "redis-6.2.16",
    ]
    assert data["accepted_but_ignored"]["valkey-9.2.0"] == ["dynamic-hz"]
    sentinels = json.loads((files / add_version.SENTINEL.name).read_text("utf-8"))
    assert "valkey-9.2.0" in sentinels["directives"]["master-reboot-down-after-period"]["alias_in"]
    assert set(OF_THIS_START) <= set(rows)
