"""From a placed fleet to the target that verification and drills take."""

from __future__ import annotations

from redis_fleet.agent.replication.view import Node, Target
from redis_fleet.agent.secret import Secret
from redis_fleet.model import Fleet, Process, Service


def target(fleet: Fleet, service: Service) -> Target:
    """Return everything a client needs to reach one service; carries clear passwords, so never show or log it.

    A service whose description was accepted without a password is ``open``. All Sentinels share one password.
    """
    watch = service.watch
    sentinels = fleet.sentinels if watch else ()
    return {
        "service": service.name,
        "monitor": watch.name if watch else None,
        "quorum": watch.quorum if watch else 0,
        "down_after_ms": watch.down_after if watch else 0,
        "failover_timeout_ms": watch.failover_timeout if watch else 0,
        "password": _clear(service.password),
        "members": [_node(process) for process in service.processes],
        "sentinels": [_node(process) for process in sentinels],
        "sentinel_password": _clear(next((process.password for process in sentinels), None)),
        "external_master": (
            {"address": service.external.address, "port": service.external.port} if service.external else None
        ),
        "open": service.password is None,
    }


def _node(process: Process) -> Node:
    endpoint = process.endpoint
    return {"id": process.id, "machine": process.machine, "address": endpoint.address, "port": endpoint.port}


def _clear(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
