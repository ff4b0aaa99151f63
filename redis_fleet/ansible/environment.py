"""What Ansible has to be told to find redis-fleet: variables that stand before any ansible.cfg."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from redis_fleet.project import MODULE_UTILS, PLAYBOOKS, PLUGINS, ROLES

# A user's own playbook imports ours from the folder that this variable names.
PLAYBOOKS_VARIABLE = "REDIS_FLEET_PLAYBOOKS"
_ENABLED = "ANSIBLE_INVENTORY_ENABLED"
_FOLDERS: Mapping[str, Path] = {
    "ANSIBLE_ACTION_PLUGINS": PLUGINS / "action",
    "ANSIBLE_CALLBACK_PLUGINS": PLUGINS / "callback",
    "ANSIBLE_INVENTORY_PLUGINS": PLUGINS / "inventory",
    "ANSIBLE_LIBRARY": PLUGINS / "modules",
    "ANSIBLE_MODULE_UTILS": MODULE_UTILS,
    "ANSIBLE_ROLES_PATH": ROLES,
}
# The same in Ansible's own table of settings.
_SETTINGS = {
    "ANSIBLE_ACTION_PLUGINS": "DEFAULT_ACTION_PLUGIN_PATH",
    "ANSIBLE_CALLBACK_PLUGINS": "DEFAULT_CALLBACK_PLUGIN_PATH",
    "ANSIBLE_INVENTORY_PLUGINS": "DEFAULT_INVENTORY_PLUGIN_PATH",
    "ANSIBLE_LIBRARY": "DEFAULT_MODULE_PATH",
    "ANSIBLE_MODULE_UTILS": "DEFAULT_MODULE_UTILS_PATH",
    "ANSIBLE_ROLES_PATH": "DEFAULT_ROLES_PATH",
    _ENABLED: "INVENTORY_ENABLED",
}


def of_shell(environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the folders that variables name already, for ``paths``."""
    return {name: environment[name].split(os.pathsep) for name in _FOLDERS if environment.get(name)}


def paths(before: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return a variable for each kind of plugin, and for the roles: our folder, then those of ``before``."""
    return {
        name: os.pathsep.join(dict.fromkeys([str(folder), *before.get(name, ())])) for name, folder in _FOLDERS.items()
    }


def for_users() -> dict[str, str]:
    """Return all that ansible-playbook needs when a user starts it here; what is configured here stays in force.

    Here: in this folder with its ansible.cfg, and with this environment.
    """
    # Half a second of import that no other command needs.
    from ansible import constants  # noqa: PLC0415

    before: dict[str, list[str]] = {name: getattr(constants, setting) for name, setting in _SETTINGS.items()}
    return {
        **paths(before),
        _ENABLED: ",".join(dict.fromkeys(["redis_fleet", *before[_ENABLED]])),
        # A description with a fault must stop the run, not leave it without hosts.
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        PLAYBOOKS_VARIABLE: str(PLAYBOOKS),
    }
