"""The description of a deployment as an Ansible inventory: machines, how to reach them, nothing secret."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.parsing.vault import EncryptedString
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.template import trust_as_template

from redis_fleet.ansible.fleets import LOCAL, SANDBOX, load
from redis_fleet.ansible.plays import DECLARED, MACHINES, ON_SOCKETS
from redis_fleet.description.nodes import VaultText
from redis_fleet.model import Machine
from redis_fleet.problems import InvalidDescriptionError

DOCUMENTATION = """
name: redis_fleet
short_description: A redis-fleet description as inventory
description: Reads a C(*.redis.yml) file; every machine becomes a host of the group C(redis_fleet).
author: redis-fleet
options:
  plugin: {description: Must be C(redis_fleet)., required: true, choices: [redis_fleet]}
"""


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc]
    """Reads ``*.redis.yml``."""

    NAME = "redis_fleet"

    def verify_file(self, path: str) -> bool:
        """Say whether the file is a description."""
        return bool(super().verify_file(path)) and path.endswith(".redis.yml")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the machines; raises AnsibleParserError with every problem of the file."""
        super().parse(inventory, loader, path, cache)
        source = os.path.realpath(path)
        try:
            fleet = load(source)
        except InvalidDescriptionError as error:
            raise AnsibleParserError(f"the description cannot be used:\n{error}") from None
        for group in DECLARED:
            inventory.add_group(group)
        announces = any(process.announces for process in fleet.processes)
        for machine in fleet.machines.values():
            inventory.add_host(machine.name, group=MACHINES)
            inventory.set_variable(machine.name, "redis_fleet_announces", announces)
            for name, value in _variables(machine, source).items():
                inventory.set_variable(machine.name, name, value)
        for service in fleet.services:
            if service.on_socket:
                inventory.add_child(ON_SOCKETS, service.on_socket.machine)


def _variables(machine: Machine, source: str) -> dict[str, Any]:
    ours = {
        "redis_fleet_source": source,
        # Ansible modules log their arguments on the machine, and mask what is secret only at the top level of them.
        "ansible_no_target_syslog": True,
    }
    if os.environ.get(SANDBOX):
        return {**LOCAL, **ours}
    return {
        "ansible_host": machine.address,
        # Naming it spares the discovery, a round trip a machine.
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become": True,
        **{name: _native(value) for name, value in machine.variables.items()},
        "address": machine.address,
        **ours,
    }


def _native(value: Any) -> Any:
    """Let Ansible itself decrypt and template what the file says of a connection."""
    if isinstance(value, VaultText):
        return EncryptedString(ciphertext=value.text)
    return trust_as_template(value) if isinstance(value, str) else value
