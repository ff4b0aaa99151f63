"""What an action takes is said by its DOCUMENTATION, and nowhere else."""

from __future__ import annotations

from typing import Any

from redis_fleet import safe_yaml

_SPECIFIED = ("type", "required", "default", "choices", "elements")


def options(documentation: str) -> dict[str, dict[str, Any]]:
    """Return the options that a documentation describes, by name."""
    return dict(safe_yaml.read(documentation).get("options") or {})


def arguments(action: Any, documentation: str) -> dict[str, Any]:
    """Return a task's arguments, of the documented types and with the documented defaults (None without one).

    A truth may come as a text, from ``-e``. Raises AnsibleActionFail for an argument that is not documented, that is
    missing, or of another type.
    """
    specified = {
        name: {key: option[key] for key in _SPECIFIED if key in option}
        for name, option in options(documentation).items()
    }
    _, found = action.validate_argument_spec(argument_spec=specified)
    return dict(found)
