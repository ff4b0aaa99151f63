"""Where the client of an operation runs: on the controller if it reaches the service, else on one of the machines."""

from __future__ import annotations

from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.agent.replication.view import unreachable
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.ports import Client
from redis_fleet.operations.remote_client import Ask, ShippedClient


def from_here(target: ServiceAccess) -> bool:
    """Say whether the controller reaches the service, so that its clients can run here; else they go to a machine.

    A socket is its machine's own: a path of that name leads the controller to another server, or to none.
    """
    if any(node.endpoint.on_socket for node in target.instances):
        return False
    return len(unreachable(target)) < len(target.instances)


def client_of(target: ServiceAccess, ask: Ask, *, here: bool, patience: float = 0.0) -> Client:
    """Return the client of a service, beside this process or on the machine that is asked.

    ``patience`` (seconds, 0: the usual half one) is how long it waits for an answer.
    """
    return LocalClient(target, patience=patience) if here else ShippedClient(target, ask, patience)
