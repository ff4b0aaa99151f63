"""Where the parts of the project are that are not Python: templates, playbooks, roles."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
PLAYBOOKS = ROOT / "playbooks"
ROLES = ROOT / "roles"
CONFIGURATION = ROOT / "ansible.cfg"
