"""The operations that playbooks/operation.yml can run, by name."""

from __future__ import annotations

from redis_fleet.operations.master_change import MasterChangeProcedure
from redis_fleet.operations.procedure import Procedure
from redis_fleet.operations.repair import RepairProcedure

PROCEDURES: dict[str, Procedure] = {
    "repair": RepairProcedure(),
    "switchover": MasterChangeProcedure(),
}
