"""The tables of docs/ansible.md are what the playbooks say at their heads."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.ansible import reference
from redis_fleet.ansible.plays import DECLARED, MEANINGS
from redis_fleet.project import ROOT

OUTER = """---
# Does it: -e redis_fleet_to=red2.
#
# Summary: does it
# Changes: yes
# Variable redis_fleet_to (chosen): where
- name: Look
  hosts: all
  tasks:
    - name: Look
      ansible.builtin.import_tasks: tasks/look.yml

- name: The rest
  ansible.builtin.import_playbook: inner.yml
  vars:
    redis_fleet_how: well
"""
INNER = """---
# Summary: the rest
# Changes: as they do
# Variable redis_fleet_how (needed): how
# Variable redis_fleet_to (chosen): where
# Registers redis_fleet_done: what was done
"""
LOOK = """---
# Variable redis_fleet_looks (`12`): how often
- name: Again
  ansible.builtin.include_tasks: look.yml
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a playbook that imports another one and tasks, which include themselves."""
    (tmp_path / "tasks").mkdir()
    for name, text in {"outer": OUTER, "inner": INNER, "tasks/look": LOOK}.items():
        (tmp_path / f"{name}.yml").write_text(text)
    return tmp_path


def rows(table: str) -> list[str]:
    """Return what follows the head."""
    return table.splitlines()[2:]


def test_the_committed_tables_are_up_to_date() -> None:
    committed = (ROOT / "docs" / reference.PAGE).read_text(encoding="utf-8")
    assert committed == reference.filled(committed), "run make docs"


def test_a_page_has_a_place_for_each_table() -> None:
    page = (ROOT / "docs" / reference.PAGE).read_text(encoding="utf-8")
    tables = (reference.summaries(), reference.variables(), reference.groups(), reference.registered())
    assert all(table in page for table in tables)


def test_what_is_between_the_places_is_kept() -> None:
    page = "# A\n\n<!-- groups: made -->\nold\n<!-- end of groups -->\n\nB\n"
    assert (
        reference.filled(page)
        == f"# A\n\n<!-- groups: made -->\n\n{reference.groups()}\n\n<!-- end of groups -->\n\nB\n"
    )


def test_a_playbook_says_what_it_does(folder: Path) -> None:
    assert rows(reference.summaries(folder)) == [
        "| `inner.yml` | the rest | as they do |",
        "| `outer.yml` | does it | yes |",
    ]

    (folder / "silent.yml").write_text("---\n# Summary: something\n[]\n")
    with pytest.raises(ValueError, match=r"silent\.yml"):
        reference.summaries(folder)


def test_a_variable_is_one_of_every_playbook_that_comes_to_read_it(folder: Path) -> None:
    assert rows(reference.variables(folder)) == [
        "| `redis_fleet_how` | inner | needed | how |",
        "| `redis_fleet_to` | inner, outer | chosen | where |",
        "| `redis_fleet_looks` | outer | `12` | how often |",
    ]


def test_what_is_registered_is_there_after_an_import_too(folder: Path) -> None:
    assert rows(reference.registered(folder)) == ["| `redis_fleet_done` | inner, outer | what was done |"]


def test_every_group_has_a_meaning_and_no_other() -> None:
    assert MEANINGS.keys() == set(DECLARED)
