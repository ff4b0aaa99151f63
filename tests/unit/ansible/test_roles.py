"""The contract of the roles and the Ansible reference: what is documented is what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from redis_fleet.ansible.documented import options
from redis_fleet.ansible.environment import paths
from redis_fleet.ansible.plays import DECLARED
from redis_fleet.project import CONFIGURATION, PLAYBOOKS, ROLES, ROOT, importing

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


ACTIONS = sorted((ROOT / "redis_fleet" / "ansible" / "action").glob("*.py"))


@pytest.mark.parametrize("file", ACTIONS, ids=[each.stem for each in ACTIONS])
def test_an_action_is_documented_and_takes_what_it_says(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    documentation = re.search(r'^DOCUMENTATION = """\n(.*?)^"""$', text, re.MULTILINE | re.DOTALL)
    assert documentation, "it has no DOCUMENTATION"
    told = yaml.safe_load(documentation[1])
    assert told["module"] == file.stem
    assert told["short_description"]
    assert all(option["description"] and option["type"] for option in options(documentation[1]).values())
    assert "_task.args" not in text, "it takes an argument past its documentation"
    assert "arguments(self, DOCUMENTATION)" in text


@pytest.mark.parametrize(
    "plugin",
    [
        ("inventory", "redis_fleet"),
        ("callback", "redis_fleet_front"),
        ("module", "redis_fleet_agent"),
        ("module", "redis_fleet_inspect"),
    ],
)
def test_ansible_shows_the_documentation_of_a_plugin(plugin: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "ansible", "doc", "--json", "-t", *plugin]
    environment = {**importing(os.environ), **paths({}), "ANSIBLE_CONFIG": str(CONFIGURATION)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)[plugin[1]]["doc"]["short_description"]


def test_the_command_line_names_only_what_there_is() -> None:
    """A result that is read under the name of an action that is gone is empty, and nothing else would say so."""
    ansible = ROOT / "redis_fleet" / "ansible"
    plugins = {file.stem for folder in ("action", "callback") for file in (ansible / folder).glob("redis_fleet_*.py")}
    variables = set(re.findall(r"^\| `(redis_fleet_\w+)`", REFERENCE, re.MULTILINE))
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "redis_fleet" / "cli").glob("*.py")]
    named = {name for text in texts for name in re.findall(r'"(redis_fleet_\w+)"', text)}
    assert named <= plugins | variables
