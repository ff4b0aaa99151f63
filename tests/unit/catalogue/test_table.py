from __future__ import annotations

import json
from pathlib import Path

import pytest

import redis_fleet.catalogue
from redis_fleet.catalogue import values
from redis_fleet.catalogue.table import Directive, catalogue, known_in, nearest_version, sections, versions

FOLDER = Path(redis_fleet.catalogue.__file__).parent
EVERY = [(engine, version) for engine in ("redis", "valkey") for version in versions(engine)]


def directive(name: str, engine: str = "redis", version: str = "7.0.15") -> Directive:
    found = catalogue(engine, version).find(name)
    assert found is not None
    return found


@pytest.mark.parametrize(("engine", "version"), EVERY)
def test_every_row_of_every_version_is_complete(engine: str, version: str) -> None:
    table = catalogue(engine, version)
    rows = list(table)
    assert len(rows) == len(table) > 140
    for row in rows:
        assert row.type in values.TYPES, row
        assert row.section in sections(), row
        assert row.live in ("config-set", "restart", "protected", "runtime-command"), row
        assert (row.type in ("enum", "flags", "events")) == bool(row.choices), row
        assert row.version == f"{engine}-{version}"
        assert row.file_only or row.name == "dir" or row.default is not None, row


@pytest.mark.parametrize(("engine", "version"), EVERY)
def test_every_default_is_accepted_and_is_its_own_canonical_form(engine: str, version: str) -> None:
    for row in catalogue(engine, version):
        if row.default is None:
            continue
        form = values.canonical(row, row.default)
        text = form if isinstance(form, str) else " ".join(form)
        assert text == row.default, row
        given = values.lines(row, [row.default] if row.default else [""])
        assert row.type == "master" or row.set_only or values.problem(row, given) is None, row
        assert values.canonical(row, given) == form, row


def test_sections_are_all_in_use() -> None:
    used = {row.section for engine, version in EVERY for row in catalogue(engine, version)}
    assert used == set(sections())


def test_no_name_is_also_another_rows_alias() -> None:
    for engine, version in EVERY:
        rows = list(catalogue(engine, version))
        aliases = [row.alias for row in rows if row.alias]
        assert len(set(aliases)) == len(aliases)
        assert not set(aliases) & {row.name for row in rows}


@pytest.mark.parametrize("name", ["redis-directives.json", "sentinel-directives.json"])
def test_the_data_is_one_row_a_line_in_order(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    rows = json.loads(text)["directives"]
    assert list(rows) == sorted(rows)
    for row in rows:
        assert len([line for line in text.splitlines() if line.startswith(f'  "{row}": {{')]) == 1


@pytest.mark.parametrize(
    ("engine", "running", "expected"),
    [
        ("redis", "7.0.15", "7.0.15"),
        ("redis", "7.0.5", "7.0.15"),
        ("redis", "7.0", "7.0.15"),
        ("redis", "6.2.7", "6.2.16"),
        ("redis", "7.1.0", "7.0.15"),
        ("redis", "8.2.1", "8.0.6"),
        ("redis", "5.0.14", "6.0.16"),
        ("redis", "10.0", "8.0.6"),
        ("valkey", "9.0.0", "8.1.1"),
        ("valkey", "9.1.0-rc1", "9.1.2"),
    ],
)
def test_the_nearest_version(engine: str, running: str, expected: str) -> None:
    assert nearest_version(engine, running) == expected
    assert catalogue(engine, running) is catalogue(engine, expected)


def test_versions_are_sorted_and_strangers_are_refused() -> None:
    assert versions("valkey") == ("7.2.7", "8.0.1", "8.1.1", "9.1.2")
    with pytest.raises(ValueError, match="no engine 'keydb'"):
        versions("keydb")
    with pytest.raises(ValueError, match="'latest' is not a version"):
        nearest_version("redis", "latest")


def test_names_aliases_and_case() -> None:
    table = catalogue("redis", "7.0.15")
    assert table.find("SlaveOf") is table.find("replicaof")
    assert table.canonical_name("slave-priority") == "replica-priority"
    assert table.canonical_name("No-Such") == "no-such"
    assert "slaveof" in table
    assert "no-such" not in table
    assert table.find("no-such") is None
    assert catalogue("valkey", "8.1.1").canonical_name("masterauth") == "primaryauth"


def test_a_mistyped_name_has_a_nearest_one() -> None:
    table = catalogue("redis", "7.0.15")
    assert table.nearest("apendfsync") == "appendfsync"
    assert table.nearest("slave-priorty") == "slave-priority"
    assert table.nearest("zzz") is None


def test_what_differs_between_versions() -> None:
    assert directive("port", version="6.0.16").live == "restart"
    assert directive("port").live == "config-set"
    assert directive("dir").live == "protected"
    assert directive("save", version="6.0.16").default == ""
    assert directive("repl-backlog-size", "valkey", "8.1.1").default == "10485760"
    assert directive("maxmemory-samples", version="7.4.1").maximum == 64
    assert catalogue("redis", "6.2.16").find("busy-reply-threshold") is None
    assert known_in("busy-reply-threshold")[0] == "redis-7.0.15"
    assert known_in("no-such") == ()


def test_what_is_read_and_ignored() -> None:
    assert catalogue("valkey", "8.1.1").ignored("dynamic-hz")
    assert not catalogue("redis", "7.0.15").ignored("dynamic-hz")


def test_secrets_are_marked_in_every_version() -> None:
    for engine, version in EVERY:
        table = catalogue(engine, version)
        for name in ("requirepass", "masterauth", "masteruser", "user"):
            found = table.find(name)
            assert found is not None and found.sensitive, (engine, version, name)
