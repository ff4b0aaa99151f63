"""The contract of the roles and the Ansible reference: what is documented is what there is."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from redis_fleet.ansible.plays import DECLARED
from redis_fleet.project import PLAYBOOKS, ROLES, ROOT

NAMES = sorted(folder.name for folder in ROLES.iterdir() if folder.is_dir())
REFERENCE = (ROOT / "docs" / "ansible.md").read_text(encoding="utf-8")
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in sorted(PLAYBOOKS.rglob("*.yml"))}
# Variables of a playbook are read with a default, or nowhere else than in a template.
VARIABLE = re.compile(r"\b(redis_fleet_[a-z_]+)\b(?=[^\n]*\}\}|[^\n]*\| (?:default|bool))")


def read(role: str, file: str) -> Any:
    """Return the YAML of one file of a role."""
    return yaml.safe_load((ROLES / role / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("role", NAMES)
def test_a_role_says_which_variables_it_has_and_their_defaults(role: str) -> None:
    specified = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name: option["default"] for name, option in specified.items()} == read(role, "defaults/main.yml")
    assert all(option["description"] for option in specified.values())


@pytest.mark.parametrize("role", NAMES)
def test_a_role_has_a_page(role: str) -> None:
    assert (ROLES / role / "README.md").read_text(encoding="utf-8").startswith(f"# {role}\n")


def registered() -> set[str]:
    """Return what tasks register."""
    return {name for text in TEXTS.values() for name in re.findall(r"register: (\w+)", text)}


def test_every_variable_of_the_playbooks_is_documented_and_no_other() -> None:
    used = {name for text in TEXTS.values() for name in VARIABLE.findall(text)} - registered()
    section = REFERENCE.split("## Variables\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(redis_fleet_\w+)`", section, re.MULTILINE)) == used


def test_every_group_is_documented_and_no_other() -> None:
    section = REFERENCE.split("## Groups\n")[1].split("\n## ")[0]
    assert set(re.findall(r"`(redis_fleet\w*)`", section)) == set(DECLARED)


def test_what_is_registered_is_documented_and_no_other() -> None:
    section = REFERENCE.split("## What a run registers\n")[1].split("\n## ")[0]
    assert set(re.findall(r"`(redis_fleet_\w+)`", section)) == registered()


def test_every_playbook_is_documented_and_no_other() -> None:
    section = REFERENCE.split("## Playbooks\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+\.yml)`", section, re.MULTILINE)) == {
        file.name for file in PLAYBOOKS.glob("*.yml")
    }


def test_the_command_line_names_only_what_there_is() -> None:
    """A result that is read under the name of an action that is gone is empty, and nothing else would say so."""
    ansible = ROOT / "redis_fleet" / "ansible"
    plugins = {file.stem for folder in ("action", "callback") for file in (ansible / folder).glob("redis_fleet_*.py")}
    variables = set(re.findall(r"^\| `(redis_fleet_\w+)`", REFERENCE, re.MULTILINE))
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "redis_fleet" / "cli").glob("*.py")]
    named = {name for text in texts for name in re.findall(r'"(redis_fleet_\w+)"', text)}
    assert named <= plugins | variables
