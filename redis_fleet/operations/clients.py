"""Where the client of an operation runs: on the controller if it reaches the service, else on one of the machines."""

from __future__ import annotations

from redis_fleet.agent.replication.view import Target, unreachable
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.ports import Client
from redis_fleet.operations.remote_client import Module, ShippedClient


def from_here(target: Target) -> bool:
    """Say whether the controller reaches the service, so that its clients can run here; else they go to a machine."""
    return len(unreachable(target)) < len(target["members"]) + len(target["sentinels"])


def client_of(target: Target, module: Module, *, here: bool) -> Client:
    """Return the client of a service, beside this process or where ``module`` runs."""
    return LocalClient(target) if here else ShippedClient(target, module)
