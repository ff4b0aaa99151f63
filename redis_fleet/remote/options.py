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
_PLACE = {"path": {"type": "str"}, "owner": {"type": "str", "default": ""}, "mode": {"type": "int"}}
_FILE = {**_PLACE, "content": {"type": "str", "no_log": True}}
_FOLDER = {**_PLACE, "shared": {"type": "bool", "default": False}}
_LINK = {"path": {"type": "str"}, "target": {"type": "str"}}
PARTS = {
    "supervised": {"type": "bool", "required": True},
    "folders": {"type": "list", "elements": "dict", "options": _FOLDER, "default": []},
    "files": {"type": "list", "elements": "dict", "options": _FILE, "default": []},
    "links": {"type": "list", "elements": "dict", "options": _LINK, "default": []},
}
