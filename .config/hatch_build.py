"""Puts into a wheel what stands beside the package in a checkout: redis_fleet/project.py looks for it there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
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


class Beside(BuildHookInterface[Any]):
    """A step of the build of a wheel."""

    _copy: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; an editable install finds them in the checkout."""
        if version == "editable":
            return
        self._copy = tempfile.TemporaryDirectory()
        shipped = self._shipped(Path(self._copy.name))
        build_data["force_include"].update(
            {name: f"{_TO}/{name}" for name in _BESIDE} | {shipped: f"{_TO}/redis_fleet"}
        )

    def _shipped(self, folder: Path) -> str:
        """Copy what Ansible ships to machines: named itself, hatchling would move it there, out of the package."""
        package = Path(self.root) / "redis_fleet"
        shutil.copytree(package / "agent", folder / "agent", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(package / "__init__.py", folder)
        return str(folder)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the copy."""
        if self._copy:
            self._copy.cleanup()
