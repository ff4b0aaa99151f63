"""Puts into a wheel what stands beside the package in a checkout: redis_fleet/project.py looks for it there."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_TO = "redis_fleet/data"
# Files of inventory/ one by one: people keep descriptions and secrets of their own in that folder.
_BESIDE = (
    "ansible.cfg",
    "inventory/replication.redis.yml",
    "inventory/sentinel.redis.yml",
    "inventory/shared-machines.redis.yml",
    "inventory/standalone.redis.yml",
    "playbooks",
    "roles",
    "templates",
    "tests/apps",
)
# What Ansible ships to machines, once more: as a tree of module_utils that holds nothing else.
_SHIPPED = ("redis_fleet/__init__.py", "redis_fleet/agent")


class Beside(BuildHookInterface[Any]):
    """A step of the build of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; an editable install finds them in the checkout."""
        if version != "editable":
            build_data["force_include"].update({name: f"{_TO}/{name}" for name in (*_BESIDE, *_SHIPPED)})
