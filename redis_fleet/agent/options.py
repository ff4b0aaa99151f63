"""The arguments that the Ansible modules share."""

from __future__ import annotations

# A text of JSON and not a list: of a list marked no_log Ansible takes every word in it ("set", "yes", a directive's
# name) for a secret and blots it out wherever the answer has it.
HIDDEN = {"type": "str", "default": "[]", "no_log": True}
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
    "edit": HIDDEN,
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
    "texts": {"type": "list", "elements": "str", "default": []},
    "units": {"type": "str", "default": ""},
    "deployment": {"type": "str", "default": ""},
    "root": {"type": "str", "default": ""},
    "records": {"type": "str", "default": ""},
    "journal": {"type": "str", "default": ""},
}
ORDERED = {"type": "list", "elements": "dict", "options": {**PROCESS, "orders": HIDDEN}, "required": True}
LEAVING = {
    "type": "list",
    "elements": "dict",
    "options": {**PROCESS, "purge": {"type": "bool", "default": False}},
    "required": True,
}
SPOTS = {
    "type": "list",
    "elements": "dict",
    "options": {"address": {"type": "str"}, "port": {"type": "int"}},
    "default": [],
}
_PLACE = {"path": {"type": "str"}, "owner": {"type": "str", "default": ""}, "mode": {"type": "int"}}
_FILE = {**_PLACE, "content": {"type": "str", "no_log": True}}
_FOLDER = {**_PLACE, "shared": {"type": "bool", "default": False}}
_LINK = {"path": {"type": "str"}, "target": {"type": "str"}}
FILES = {"type": "list", "elements": "dict", "options": _FILE, "default": []}
PARTS = {
    "supervised": {"type": "bool", "required": True},
    "folders": {"type": "list", "elements": "dict", "options": _FOLDER, "default": []},
    "files": FILES,
    "links": {"type": "list", "elements": "dict", "options": _LINK, "default": []},
}
