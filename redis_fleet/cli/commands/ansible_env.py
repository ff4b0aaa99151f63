"""ansible-env: what a shell has to know for ansible-playbook to find redis-fleet."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import typer

from redis_fleet.ansible import environment
from redis_fleet.cli.common import Json
from redis_fleet.cli.screen import Screen

_PROGRAM = "ansible-playbook"


def ansible_env(as_json: Json = False) -> None:
    """Print the environment in which plain ansible-playbook finds redis-fleet, for a shell to read.

    eval "$(redis-fleet ansible-env)", then: ansible-playbook -i FILE "$REDIS_FLEET_PLAYBOOKS/deploy.yml"

    Folders that are configured already, in this environment or in the ansible.cfg of this folder, stay behind ours.
    """
    found = environment.for_users()
    Screen(as_json=as_json).json({"ok": True, "environment": found})
    for name, value in () if as_json else found.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    _warn_of_another()


def _warn_of_another() -> None:
    """Say when the shell would start an Ansible whose Python does not have redis-fleet: its own words are no help."""
    beside = (Path(sys.executable).parent, Path(sys.argv[0]).resolve().parent)
    ours = [folder / _PROGRAM for folder in beside if (folder / _PROGRAM).exists()]
    first = shutil.which(_PROGRAM)
    if ours and (first is None or Path(first).resolve() not in [each.resolve() for each in ours]):
        there = f"{first} comes first on PATH" if first else f"no {_PROGRAM} is on PATH"
        typer.echo(f"{there}; start {ours[0]}, whose Python has redis-fleet", err=True)
