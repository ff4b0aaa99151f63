"""The column that says what a directive needs of the unit: no row that may need something is without an entry."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import redis_fleet.catalogue
from redis_fleet.catalogue.unit_needs import NEEDS, need, needing
from redis_fleet.render.unit_limits import JUDGED
from redis_fleet.rules import all_rules

FOLDER = Path(redis_fleet.catalogue.__file__).parent
# A text may be a path, a program or an address; what is read at the start is asked of the kernel; the rest by name.
TEXTS = {"string", "token", "words", "addresses", "oom-values", "octal", "master", "rename"}
SECTIONS = {"Network", "TLS", "RDMA", "Kernel and processor", "Threads"}
TELLING = re.compile(r"file|dir\b|path|script|port\b|cpu|oom|mark|socket|module|maxclients|syslog|lock")


def rows(name: str) -> dict[str, Any]:
    """Return the rows of a table."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}-directives.json").read_text("utf-8"))["directives"]
    return {directive: row for directive, row in found.items() if not row.get("state")}


def may_need(name: str, row: dict[str, Any], *, sentinel: bool) -> bool:
    """Say whether a row is one that has to be judged."""
    at_the_start = not sentinel and (row["live"] != "config-set" or row["section"] in SECTIONS)
    return row["type"] in TEXTS or at_the_start or bool(TELLING.search(name))


@pytest.mark.parametrize("table", ["redis", "sentinel"])
def test_every_row_that_may_need_something_of_the_unit_was_judged(table: str) -> None:
    judged = {name: row for name, row in rows(table).items() if may_need(name, row, sentinel=table == "sentinel")}
    assert [name for name, row in judged.items() if row.get("unit") not in NEEDS] == []
    assert len(judged) > {"redis": 110, "sentinel": 8}[table]


def test_every_need_is_some_directives_and_is_allowed_or_refused() -> None:
    named = {row["unit"] for table in ("redis", "sentinel") for row in rows(table).values() if "unit" in row}
    assert named == set(NEEDS)
    assert all(bool(text) == (kind != "nothing") for kind, text in NEEDS.items())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dir", "own-folder"),
        ("server-cpulist", "cpus"),
        ("server_cpulist", "cpus"),
        ("cluster-port", "port"),
        ("sentinel notification-script", "runs"),
        ("maxmemory", "nothing"),
        ("sentinel quorum", "nothing"),
    ],
)
def test_what_one_needs_is_found_by_the_name_of_its_setting(name: str, kind: str) -> None:
    assert need(name) == kind
    assert (name in needing(kind)) == (kind != "nothing")


def test_the_rule_is_about_all_that_a_unit_keeps_processes_from() -> None:
    rule = next(each for each in all_rules() if each.id == "E28")
    assert set(rule.directives) == set(JUDGED) >= {"tls-dh-params-file", "sentinel notification-script", "aclfile"}
