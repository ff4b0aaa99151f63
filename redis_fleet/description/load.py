"""From a file to a description: read, shape, apply the rules. Problems are collected, never thrown one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from redis_fleet.agent.secret import Secret
from redis_fleet.description import references
from redis_fleet.description.nodes import Document, dotted, read
from redis_fleet.description.nodes import Path as TreePath
from redis_fleet.description.outside import Outside
from redis_fleet.description.schema import Deployment, MachineDescription
from redis_fleet.description.shape import shape
from redis_fleet.model import Setting
from redis_fleet.problems import InvalidDescriptionError, Position, Problem


@dataclass
class Description:
    """A file that has the right shape, and the problems found so far; the placing adds its own.

    ``secrets`` holds the passwords once they are read: every placing of one description sees the same ones. ``judged``
    holds the settings of sections that are the same for all their processes.
    """

    file: str
    document: Document
    deployment: Deployment
    problems: list[Problem] = field(default_factory=list)
    secrets: dict[TreePath, Secret | None] = field(default_factory=dict)
    judged: dict[tuple[object, ...], dict[str, Setting]] = field(default_factory=dict)

    def report(self, path: TreePath, what: str, remedy: str, rule: str = "", position: Position | None = None) -> None:
        """Add a problem at a path of the file; ``rule`` is the identifier of the rule that it breaks, if any.

        ``position`` is where it stands, if not at that path.
        """
        self.problems.append(Problem(position or self.document.position(path), dotted(path), what, remedy, rule))

    @cached_property
    def folder(self) -> str:
        """The folder of the file, absolute."""
        return str(Path(self.file).resolve().parent)

    @cached_property
    def outside(self) -> Outside:
        """What files beside it say of its machines."""
        return Outside(self.file, {name: told(each) for name, each in self.deployment.machines.items()})


def told(machine: MachineDescription) -> dict[str, Any]:
    """Return what Ansible is told of a machine that the file itself says of it."""
    return {"ansible_host": machine.address, **machine.vars, **machine.connection, "address": machine.address}


def load(file: str) -> Description:
    """Read a description; raises InvalidDescriptionError where nothing usable is left of it."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        problem = Problem(Position(file), "", f"cannot be read: {reason}", "name a *.redis.yml file")
        raise InvalidDescriptionError([problem]) from None
    deployment, document = shape(read(file, text))
    if deployment is None:
        raise InvalidDescriptionError(document.problems)
    return Description(file, document, deployment, [*document.problems, *references.problems(deployment, document)])
