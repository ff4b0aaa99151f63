"""The arguments that the Ansible modules share."""

from __future__ import annotations

PROCESS = {
    "name": {"type": "str", "required": True},
    "kind": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "password": {"type": "str", "no_log": True},
    "configuration": {"type": "str", "required": True},
    "unit": {"type": "str", "default": ""},
    "data": {"type": "str", "default": ""},
    "log": {"type": "str", "default": ""},
    "pid": {"type": "str", "default": ""},
    "follow": {"type": "str", "default": ""},
    "fresh": {"type": "bool", "default": False},
    "delay": {"type": "str", "default": ""},
    "expect": {"type": "str", "default": ""},
}
PROCESSES = {"type": "list", "elements": "dict", "options": PROCESS, "required": True}
LOOK = {
    "supervised": {"type": "bool", "required": True},
    "processes": PROCESSES,
    "binary": {"type": "str", "default": ""},
    "packages": {"type": "list", "elements": "str", "default": []},
    "default_units": {"type": "list", "elements": "str", "default": []},
    "masks": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "list", "elements": "str", "default": []},
    "sensitive": {"type": "list", "elements": "str", "default": []},
}
