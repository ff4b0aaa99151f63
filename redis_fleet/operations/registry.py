"""The operations that playbooks/operation.yml can run, by name: every module of this folder that has a PROCEDURE."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from redis_fleet import operations
from redis_fleet.operations.procedure import Procedure


def procedures() -> dict[str, Procedure]:
    """Return them all."""
    found = {}
    for each in iter_modules(operations.__path__, f"{operations.__name__}."):
        procedure = getattr(import_module(each.name), "PROCEDURE", None)
        if isinstance(procedure, Procedure):
            found[procedure.name] = procedure
    return found


PROCEDURES = procedures()
