"""What is said of a description's machines in files beside it: ``group_vars`` and ``host_vars``, as Ansible reads them.

Nothing is read before somebody asks, and Ansible is imported only then.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis_fleet.description.outer import FOLDERS, Outer
from redis_fleet.problems import Position

if TYPE_CHECKING:
    from redis_fleet.description.ansible_variables import AnsibleVariables


class Outside:
    """The variables of the machines of one description that do not stand in it."""

    def __init__(self, file: str, own: Mapping[str, Mapping[str, Any]]) -> None:
        """Take the path of the description, and what it says itself of each machine, as Ansible is told it."""
        self._file = file
        self._own = own

    @cached_property
    def _read(self) -> AnsibleVariables:
        # Half a second of import that most files do not need.
        from redis_fleet.description.ansible_variables import AnsibleVariables  # noqa: PLC0415

        return AnsibleVariables(self._file, self._own)

    @cached_property
    def is_there(self) -> bool:
        """Whether there is any such folder."""
        folder = Path(self._file).resolve().parent
        return any((folder / name).is_dir() for name in FOLDERS)

    def find(self, machine: str, name: str) -> Outer | None:
        """Return a variable of a machine; raises UnreadableError where it cannot be worked out."""
        return self._read.find(machine, name)

    def names(self, machine: str) -> tuple[str, ...]:
        """Return the names of all variables that files give a machine; raises UnreadableError."""
        return self._read.names(machine) if self.is_there else ()

    def for_nobody(self, name: str) -> str:
        """Return the file of ``group_vars`` or ``host_vars`` that has a variable, and that is read for no machine."""
        return self._read.for_nobody(name) if self.is_there else ""

    def contradictions(self, machine: str) -> list[tuple[str, Position]]:
        """Return the variables that ``host_vars`` give another value than the description does, with their places.

        Raises UnreadableError.
        """
        return self._read.contradictions(machine) if self.is_there else []

    def place(self, machine: str, name: str) -> Position | None:
        """Return where a file gives a machine a variable; None where none does. Raises UnreadableError."""
        return self._read.place(machine, name) if self.is_there else None
