"""Where the parts of the project are that are not Python: templates, playbooks, roles, samples, the demo application.

In a checkout they stand beside the package. A wheel has them in a folder of the package, in the same order: the build
puts them there (.config/hatch_build.py). Nobody else needs to know which of the two it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(str(files(__package__))).resolve()
_PACKED = _PACKAGE / "data"
ROOT = _PACKED if _PACKED.is_dir() else _PACKAGE.parent
TEMPLATES = ROOT / "templates"
PLAYBOOKS = ROOT / "playbooks"
ROLES = ROOT / "roles"
CONFIGURATION = ROOT / "ansible.cfg"
SAMPLES = ROOT / "inventory"
APPLICATIONS = ROOT / "tests" / "apps"
PLUGINS = _PACKAGE / "ansible"
# Ansible finds what it ships to machines, redis_fleet.agent, below this folder. In a wheel that is a copy with no other
# package beside it: the installed one is among all others, and ``ansible.module_utils.six`` would be one of theirs.
MODULE_UTILS = ROOT


def importing(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a Python of ours that has to find this very package, installed or not."""
    if ROOT == _PACKED:
        return dict(environment)
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))}
