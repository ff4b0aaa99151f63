"""The arguments of the modules that do not yet take a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .access import Access
from .endpoint import Endpoint
from .messages.kind import SENTINEL, SERVER
from .messages.process import ManagedProcess
from .secret import Secret

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
}


def managed(given: Mapping[str, Any]) -> ManagedProcess:
    """Return the process that such arguments describe."""
    secret = Secret(given["password"]) if given["password"] else None
    return ManagedProcess(
        given["name"],
        {each.name: each for each in (SERVER, SENTINEL)}[given["kind"]],
        Access(Endpoint(given["address"], given["port"]), secret),
        given["configuration"],
        given["unit"],
        given["data"],
        given["log"],
        given["pid"],
    )


def arguments(process: ManagedProcess) -> dict[str, Any]:
    """Return a process as such arguments."""
    return {
        "name": process.name,
        "kind": process.kind.name,
        "address": process.address,
        "port": process.port,
        "password": process.password or None,
        "configuration": process.configuration,
        "unit": process.unit,
        "data": process.data,
        "log": process.log,
        "pid": process.pid,
    }
