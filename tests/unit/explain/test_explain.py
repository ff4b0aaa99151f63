"""``redis-fleet explain`` and what it is made of: the words of the table, the versions in words, the pages in docs/."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from redis_fleet import rules
from redis_fleet.catalogue import check, table
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.cli.main import app
from redis_fleet.engine_probe.add_version import SENTINEL, SERVER
from redis_fleet.explain import document, pages, version_ranges
from redis_fleet.explain.explain import (
    Explanation,
    UnknownNameError,
    every_name,
    explain,
    of_sentinel,
    of_server,
)
from redis_fleet.explain.phrases import yaml_scalar
from redis_fleet.project import ROOT

ALL = version_ranges.columns()
ROWS = [
    *((f"{name}", row) for name, row in json.loads(SERVER.read_text("utf-8"))["directives"].items()),
    *((f"sentinel {name}", row) for name, row in json.loads(SENTINEL.read_text("utf-8"))["directives"].items()),
]


def one(name: str, engine: str | None = None, version: str | None = None) -> Explanation:
    return explain(name, engine, version)[0]


def everything() -> list[Explanation]:
    names = [(title, name) for title, own in every_name().items() for name in own]
    return [
        each
        for title, name in names
        for each in (of_sentinel(name, ALL) if title.startswith("sentinel.conf") else of_server(name, ALL))
    ]


def told(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["explain", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize(("name", "row"), ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_directive_has_its_two_lines(name: str, row: dict[str, Any]) -> None:
    for key, longest in (("does", 110), ("costs", 140)):
        text = row.get(key, "")
        assert 0 < len(text) <= longest, f"{name}: '{key}' has {len(text)} characters, not 1 to {longest}"
        assert text == text.strip() and not text.endswith("."), f"{name}: '{key}' is no sentence with a full stop"
        assert "slave" not in text.replace("slaveof", "").replace("SLAVEOF", "").replace("known-slave", ""), name
    assert row["does"][0].isupper(), name


def test_no_two_directives_share_a_line() -> None:
    lines = Counter(row.get(key) for _, row in ROWS for key in ("does", "costs"))
    assert [line for line, times in lines.items() if times > 1] == []


def test_sentinels_own_notes_are_never_edited() -> None:
    notes = [row["costs"] for _, row in ROWS if row.get("state")]
    assert len(notes) == 7
    assert all(text.startswith("Written by Sentinel alone; never edit") for text in notes)


@pytest.mark.parametrize(
    ("name", "field", "expected"),
    [
        ("repl-diskless-sync", "default", ["no (redis until 6.2)", "yes (redis 7.0 and later, every valkey)"]),
        (
            "repl-backlog-size",
            "default",
            ["1mb (1048576) (every redis, valkey until 7.2)", "10mb (10485760) (valkey 8.0"],
        ),
        ("save", "default", ["empty (redis until 6.0)", "3600 1 300 100 60 10000 (redis 6.2 and later, every valkey)"]),
        ("save", "value", ["pairs of seconds and changes such as 900 1, or none"]),
        ("maxmemory", "default", ["0"]),
        ("maxmemory", "value", ["a memory size such as 64mb"]),
        ("maxmemory-clients", "value", ["a memory size such as 64mb or a share of maxmemory such as 5%"]),
        ("client-query-buffer-limit", "value", ["a memory size such as 64mb, 1mb or more"]),
        ("port", "value", ["a whole number, 0 to 65535"]),
        ("hash-max-listpack-entries", "value", ["a whole number, 0 or more"]),
        ("list-max-listpack-size", "value", ["a whole number"]),
        ("oom-score-adj-values", "value", ["three whole numbers, -2000 to 2000"]),
        ("appendfsync", "value", ["one of everysec, always, no"]),
        (
            "bind",
            "change",
            ["by a restart (redis until 6.0)", "live, by CONFIG SET (redis 6.2 and later, every valkey)"],
        ),
        (
            "io-threads",
            "change",
            ["by a restart (every redis, valkey until 8.1)", "live, by CONFIG SET (valkey 9.1 and"],
        ),
        (
            "dir",
            "change",
            ["live, by CONFIG SET (redis until 6.2)", "by a restart; live, by CONFIG SET, only with enable-"],
        ),
        ("replicaof", "change", ["live, by REPLICAOF"]),
        ("down-after-milliseconds", "change", ["live, by SENTINEL SET on every Sentinel"]),
        ("down-after-milliseconds", "default", ["30000"]),
        (
            "announce-port",
            "change",
            ["by a restart of each Sentinel (redis until 6.0)", "live, by SENTINEL CONFIG SET on"],
        ),
        ("myid", "change", ["never by hand: Sentinel writes it"]),
    ],
)
def test_what_is_said_of_value_default_and_change(name: str, field: str, expected: list[str]) -> None:
    found = pages.grouped(getattr(one(name), field))
    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True)), found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("maxmemory", "every redis, every valkey"),
        ("gopher-enabled", "redis until 6.2"),
        (
            "io-threads-do-reads",
            "redis until 7.4 (read and ignored from 8.0 on), valkey until 8.0 (read and ignored from",
        ),
        ("acl-pubsub-default", "redis 6.2 and later, every valkey"),
        ("resolve-hostnames", "redis 6.2 and later, every valkey"),
        ("hash-seed", "valkey 9.1 and later"),
    ],
)
def test_since_when_it_is_known(name: str, expected: str) -> None:
    assert pages.since(one(name)).startswith(expected)


def test_since_and_until_are_fields_too() -> None:
    redis, valkey = one("io-threads-do-reads").known
    assert (redis.engine, redis.since, redis.until, redis.ignored_from) == ("redis", "6.0", "7.4", "8.0")
    assert (valkey.engine, valkey.since, valkey.until, valkey.ignored_from) == ("valkey", "7.2", "8.0", "8.1")
    assert one("acl-pubsub-default", "redis", "7.0").known[0].since == "6.2"
    assert one("acl-pubsub-default").known[0].until is None


def test_one_version_says_what_holds_there() -> None:
    assert pages.grouped(one("repl-diskless-sync", "redis", "6.2").default) == ("no",)
    assert pages.grouped(one("repl-diskless-sync", version="7.2").default) == ("yes",)
    assert pages.grouped(one("io-threads", "valkey", "9.1").change) == ("live, by CONFIG SET",)
    assert pages.grouped(one("io-threads", "valkey", "8.1").change) == ("by a restart",)
    assert pages.grouped(one("lazyfree-lazy-eviction", "valkey").default)[-1].startswith("yes (valkey 8.0")


@pytest.mark.parametrize(
    ("name", "engine", "called", "names"),
    [
        ("slaveof", None, "replicaof", ("also written slaveof",)),
        ("SlaveOf", None, "replicaof", ("also written slaveof",)),
        (
            "lua-time-limit",
            None,
            "busy-reply-threshold",
            ("also written lua-time-limit, its only name in redis until 6.2",),
        ),
        (
            "slowlog-max-len",
            "redis",
            "slowlog-max-len",
            ("called commandlog-slow-execution-max-len in valkey 8.1 and later, which read the old name too",),
        ),
        (
            "masterauth",
            "valkey",
            "primaryauth",
            ("also written masterauth, its only name in every redis, valkey until 7.2",),
        ),
        (
            "primary-reboot-down-after-period",
            None,
            "master-reboot-down-after-period",
            ("also written primary-reboot-down-after-period in valkey 8.0 and later",),
        ),
    ],
)
def test_other_names(name: str, engine: str | None, called: str, names: tuple[str, ...]) -> None:
    found = one(name, engine)
    assert (found.name, found.names) == (called, names)
    assert found.asked == ("" if name.lower() == called else name.lower())


@pytest.mark.parametrize(
    ("name", "place", "example"),
    [
        ("requirepass", "write 'password:' beside 'config:'", "password: "),
        ("slaveof", "write 'replicaof:' beside 'config:'", "replicaof: 10.9.9.9 6379"),
        ("masterauth", "it is always the service's 'password:'", ""),
        ("daemonize", "redis-fleet sets it", ""),
        ("monitor", "the services of this file are monitored", ""),
        ("known-replica", "take it out", ""),
        ("maxmemory", "", "maxmemory: 512mb"),
        ("save", "", "save: [900 1, 300 10, 60 10000]"),
        ("appendfsync", "", "appendfsync: everysec"),
    ],
)
def test_where_it_stands_in_the_description(name: str, place: str, example: str) -> None:
    found = one(name)
    assert found.place.startswith(place) and bool(found.place) == bool(place)
    assert found.example.startswith(example) and bool(found.example) == bool(example)


@pytest.mark.parametrize("version", [None, "7.2.7", "9.1.2"])
def test_what_redis_fleet_writes_is_refused_under_every_name(version: str | None) -> None:
    assert check.server("valkey", version, "masterauth", ("x",)).what == "is not set here"


def test_a_directive_of_both_files_is_explained_for_both() -> None:
    server, sentinel = explain("port")
    assert (server.file, sentinel.file, sentinel.scope) == ("redis.conf", "sentinel.conf", "global")
    assert pages.grouped(sentinel.default) == ("26379",)
    assert pages.grouped(sentinel.change) == ("by a restart of each Sentinel",)
    assert sentinel.place == "write 'port:' below 'sentinel:'"
    assert pages.grouped(explain("requirepass")[1].change)[-1].startswith(
        "live, by ACL SETUSER and SENTINEL FLUSHCONFIG"
    )
    assert [each.does for each in explain("rename-command")] == [
        each.does for each in (*of_server("rename-command", ALL), *of_sentinel("rename-command", ALL))
    ]


@pytest.mark.parametrize("name", ["sentinel down-after-milliseconds", "Sentinel  DOWN-AFTER-MILLISECONDS"])
def test_a_statement_of_sentinel_is_found_with_the_word_in_front(name: str) -> None:
    assert [(each.name, each.file) for each in explain(name)] == [("down-after-milliseconds", "sentinel.conf")]
    assert [each.file for each in explain("sentinel port")] == ["sentinel.conf"]


def test_the_rules_about_it_are_named() -> None:
    assert "E1" in [rule.id for rule in one("save").rules]
    assert "W3" in [rule.id for rule in one("maxmemory").rules]
    assert "E8" in [rule.id for rule in one("rename-command").rules]
    assert one("hll-sparse-max-bytes").rules == ()


@pytest.mark.parametrize(
    ("name", "engine", "version", "message"),
    [
        ("maxmemoy", None, None, "'maxmemoy' is not a directive of redis or valkey; did you mean 'maxmemory'?"),
        (
            "slave-priorty",
            "valkey",
            None,
            "'slave-priorty' is not a directive of valkey; did you mean 'slave-priority'?",
        ),
        ("maxmemoy", "redis", "7.0.15", "'maxmemoy' is not a directive of redis 7.0; did you mean 'maxmemory'?"),
        ("sentinel parallel-sync", None, None, "is not a directive of sentinel.conf; did you mean 'parallel-syncs'?"),
        ("gopher-enabled", None, "7.2", "'gopher-enabled' is not a directive of redis 7.2, but of redis until 6.2"),
        (
            "io-threads-do-reads",
            "valkey",
            "9.1",
            "'io-threads-do-reads' is read and ignored by valkey 9.1; take it out",
        ),
        ("list-max-ziplist-value", None, None, "'list-max-ziplist-value' is read and ignored by redis and valkey;"),
        ("qqqqqq", None, None, "'qqqqqq' is not a directive of redis or valkey; 'redis-fleet explain' lists them all"),
        ("sentinel maxmemory", None, None, "'maxmemory' is not a directive of sentinel.conf"),
    ],
)
def test_an_unknown_name_is_refused_with_the_likely_one(
    name: str, engine: str | None, version: str | None, message: str
) -> None:
    with pytest.raises(UnknownNameError) as raised:
        explain(name, engine, version)
    assert message in str(raised.value)


@given(st.text(max_size=30))
def test_no_name_crashes(name: str) -> None:
    try:
        assert explain(name)
    except UnknownNameError as error:
        assert str(error)


@pytest.mark.parametrize("column", ALL)
def test_every_directive_of_every_version_is_explained(column: str) -> None:
    engine, version = version_ranges.split(column)
    names = [row.name for row in table.catalogue(engine, version)]
    for name in [*names, *sentinel_table.names(engine, version)]:
        for found in explain(name, engine, version):
            for groups in (found.value, found.default, found.change):
                assert len(groups) == 1 and groups[0].text and not groups[0].where, (name, groups)
            assert found.known and found.does and found.costs


def test_every_page_fits_a_terminal() -> None:
    for explanation in everything():
        for _, line in pages.page([explanation]):
            assert len(line) <= 100, line
    for rule in rules.all_rules():
        for style, line in pages.rule_page(rule):
            assert style == "title" or len(line) <= pages.WIDTH, line


@pytest.mark.parametrize("found", everything(), ids=lambda found: f"{found.file}-{found.name}")
def test_every_example_is_yaml_that_the_description_takes(found: Explanation) -> None:
    if not found.example:
        assert found.place or "secret" in " ".join(found.notes) or found.name in ("include", "sentinel"), found
        return
    loaded = yaml.load(found.example, yaml.BaseLoader)
    (key, value), *more = loaded.items()
    assert not more
    texts = tuple(value) if isinstance(value, list) else (value,)
    if found.place or any("{{" in text for text in texts):
        return
    judged = check.sentinel if found.file == "sentinel.conf" else check.server
    verdicts = [judged(span.engine, None, key, texts) for span in found.known]
    assert [verdict.what for verdict in verdicts if verdict.what] == []


@pytest.mark.parametrize(
    "text", ["yes", "64mb", "* -::*", "", "a b", "-1", "no: x", "a #b", "{x", "-", 'a "b" \\', "- a"]
)
def test_a_text_stays_itself_in_yaml(text: str) -> None:
    assert yaml.load(f"name: {yaml_scalar(text)}", yaml.BaseLoader) == {"name": text}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (ALL, "every version"),
        (version_ranges.columns("redis"), "every redis"),
        (("redis-6.0.16",), "redis until 6.0"),
        (("redis-7.0.15",), "redis 7.0"),
        (("redis-6.2.16", "redis-7.0.15"), "redis 6.2 and 7.0"),
        (("redis-6.2.16", "redis-7.0.15", "redis-7.2.6"), "redis 6.2 to 7.2"),
        (("redis-6.0.16", "redis-7.0.15", version_ranges.columns("redis")[-1]), None),
        ((), ""),
    ],
)
def test_versions_in_words(chosen: tuple[str, ...], expected: str | None) -> None:
    newest = table.release(version_ranges.split(version_ranges.columns("redis")[-1])[1])
    assert version_ranges.in_words(chosen) == (
        f"redis until 6.0, 7.0, {newest} and later" if expected is None else expected
    )


def test_the_page_of_a_directive() -> None:
    code, text = told("maxmemory")
    assert code == 0
    assert text.startswith("maxmemory  redis.conf\nMemory for data before keys are evicted")
    assert "In YAML    maxmemory: 512mb   (below a service's 'config:')" in text
    assert "\x1b" not in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_what_both_files_share_is_printed_once() -> None:
    _, text = told("port")
    assert text.count("TCP port for clients") == text.count("Known to") == 1
    assert "Default    6379" in text and "Default    26379" in text


@pytest.mark.parametrize(
    "arguments",
    [("sentinel", "down-after-milliseconds"), ("sentinel down-after-milliseconds",), ("down-after-milliseconds",)],
)
def test_two_words_and_one_find_the_same(arguments: tuple[str, ...]) -> None:
    code, text = told(*arguments)
    assert code == 0 and text.startswith("down-after-milliseconds  sentinel.conf, for each master")


def test_an_alias_says_that_it_is_one() -> None:
    _, text = told("slaveof")
    assert "also written slaveof" in text and text.startswith("replicaof (slaveof is an alias)")


def test_several_names_at_once() -> None:
    code, text = told("maxmemory", "sentinel", "parallel-syncs", "W3")
    assert code == 0
    assert next(line.split("  ")[0] for line in text.splitlines() if line and line[0] != " ") == "maxmemory"
    assert "\nparallel-syncs  sentinel.conf" in text and "\nW3  " in text


def test_a_rule_is_explained() -> None:
    rule = rules.find("E8")
    assert rule is not None
    code, text = told("e8")
    assert code == 0
    assert text.startswith(f"E8  {rule.title}\n")
    flat = " ".join(text.split())
    assert all(part in flat for part in (rule.reason, rule.source, rule.remedy, "error: nothing is deployed"))


def test_a_rule_that_cannot_be_silenced_says_why() -> None:
    firm = next(rule for rule in rules.all_rules() if rule.firm)
    assert f"cannot be: {firm.firm}" in " ".join(told(firm.id)[1].split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("maxmemoy",), "'maxmemoy' is not a directive of redis or valkey; did you mean 'maxmemory'?"),
        (("E999",), "'E999' is not a rule; there are E1 to E"),
        (("maxmemory", "--engine", "keydb"), "no engine 'keydb' in the table of directives"),
        (("maxmemory", "--version", "latest"), "'latest' is not a version such as 7.0.15"),
    ],
)
def test_a_wrong_name_ends_with_2(arguments: tuple[str, ...], message: str) -> None:
    code, text = told(*arguments)
    assert code == 2 and message in text


def test_without_a_name_everything_is_listed() -> None:
    code, text = told()
    words = set(text.split())
    assert code == 0
    assert {name for own in every_name().values() for name in own} <= words
    assert {rule.id for rule in rules.all_rules()} <= words


def test_json_of_a_directive() -> None:
    code, text = told("port", "W3", "--json")
    server, sentinel, rule = json.loads(text)["explanations"]
    assert code == 0
    assert set(server) == set(sentinel) == set(Explanation.__dataclass_fields__)
    assert server["change"][0] == {"text": "by a restart", "where": "redis until 6.0"}
    assert server["known"][0]["since"] == "6.0" and server["known"][0]["until"] is None
    assert server["rules"] == [each.id for each in one("port").rules]
    assert sentinel["file"] == "sentinel.conf"
    assert (rule["id"], rule["severity"]) == ("W3", "warning") and "check" not in rule


def test_json_of_a_mistake_and_of_the_list() -> None:
    done = CliRunner().invoke(app, ["explain", "maxmemoy", "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout)["problems"][0].endswith("did you mean 'maxmemory'?")
    listed = json.loads(told("--json")[1])
    assert "maxmemory" in listed["sections"]["Memory"] and "E1" in listed["rules"]


@pytest.mark.parametrize("name", ["directives.md", "rules.md"])
def test_the_committed_pages_are_up_to_date(name: str) -> None:
    committed = ROOT / "docs" / name
    assert committed.exists() and committed.read_text("utf-8") == document.documents()[name], "run make docs"


def test_the_page_of_directives_has_every_row_of_the_table() -> None:
    text = document.directives()
    assert all(f"\n### {name.removeprefix('sentinel ')}\n" in text for name, _ in ROWS)
    assert text.count("\n### ") == len(ROWS)
