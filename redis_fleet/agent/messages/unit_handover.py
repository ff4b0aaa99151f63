"""What the unit of a server knows of its service, so that the master's role is handed over when the server ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..codec import Message
from .service import ServiceAccess
from .usual_values import UsualValues

START, STOP, END = "start", "stop", "end"
"""When a unit calls for it: before its start, before its stop, after its end."""
READY = "ready"
"""Called once, to be fast from then on."""
WAIT = "wait"
"""Waits for the end of a server (its pid follows) with everything imported, see waiting.py."""
PYTHON = ("/usr/bin/python3", "-IS")
"""The machine's own Python, with nothing but its standard library."""
KNOWLEDGE = "handover.json"
"""The file with what is known, beside the code."""
ENTRY = "redis_fleet.agent.process.unit_handover"
"""The module that is called."""


def folder_of(unit: str) -> str:
    """Return the folder of what a unit hands over with, root's alone: the process itself cannot write there."""
    return f"/etc/redis-fleet/{_stem(unit)}"


def lock_of(unit: str) -> str:
    """Return the file that is locked by whoever waits for the end of a unit's server, and then replaces it."""
    return f"/run/{_stem(unit)}.lock"


def stopping_of(unit: str) -> str:
    """Return the file that is there while somebody stops a unit's server on purpose, until its next start."""
    return f"/run/{_stem(unit)}.stopping"


def heir_of(unit: str) -> str:
    """Return the file that names whom a hand-over is about to promote, until the Sentinels were told of it."""
    return f"/run/{_stem(unit)}.heir"


def waiting_command(unit: str, code: str, pid: str) -> tuple[str, ...]:
    """Return what starts the one that waits for the end of a process, in a unit of its own that has no file."""
    properties = ("Nice=-20", "OOMScoreAdjust=-900", f"Description=Waits for the end of {unit}")
    return (
        "/usr/bin/systemd-run",
        *("--quiet", "--collect", f"--unit={_stem(unit)}-handover-{pid}"),
        *(f"--property={each}" for each in properties),
        *(*PYTHON, code, WAIT, pid),
    )


def _stem(unit: str) -> str:
    return unit.rpartition(".service")[0] or unit


@dataclass(frozen=True)
class UnitHandover(Message):
    """A ``member`` (id) of a ``service``, its ``configuration`` file and its ``unit``.

    ``described`` are the members' usual values for what a hand-over changes for the time, by id.
    """

    service: ServiceAccess
    member: str
    configuration: str
    unit: str
    described: Mapping[str, UsualValues] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return the text of a file for its owner alone: passwords and all."""
        secrets: list[str] = []
        told = self.to_json(secrets)
        return json.dumps({"told": told, "secrets": secrets}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_text(cls, text: str) -> UnitHandover:
        """Read what ``to_text`` made; raises ValueError for anything else."""
        try:
            read = json.loads(text)
            return cls.from_json(read["told"], read["secrets"])
        except (LookupError, TypeError) as error:
            raise ValueError(f"not what a unit knows of its service: {error}") from None
