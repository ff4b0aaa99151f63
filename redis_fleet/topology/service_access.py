"""From a placed fleet to what verification, drills and switchovers need to reach a service."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.agent.messages.service import Instance, Login, ServiceAccess
from redis_fleet.agent.messages.usual_values import Described, UsualValues
from redis_fleet.agent.replication.connections import PRIORITY
from redis_fleet.agent.replication.fence import MAX_LAG, MIN_REPLICAS
from redis_fleet.catalogue.check import persists, value_of
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.topology import identity


def target(fleet: Fleet, service: Service) -> ServiceAccess:
    """Return everything a client needs to reach one service.

    A service whose description was accepted without a password is ``open``. All Sentinels share one password.
    """
    watch = service.watch
    sentinels = fleet.sentinels if watch else ()
    own = next((process.login for process in service.processes), None)
    on_sentinels = next((process.login for process in sentinels), None)
    default = next((process.password for process in sentinels), None)
    return ServiceAccess(
        service=service.name,
        monitor=watch.name if watch else None,
        quorum=watch.quorum if watch else 0,
        down_after_ms=watch.down_after if watch else 0,
        failover_timeout_ms=watch.failover_timeout if watch else 0,
        password=own.password if own else service.password,
        members=tuple(_instance(process) for process in service.processes),
        sentinels=tuple(_instance(process) for process in sentinels),
        sentinel_password=on_sentinels.password if on_sentinels else default,
        external_master=service.external,
        open=service.password is None and own is None,
        tls=next((identity.of(each.tls) for each in service.processes if each.tls), None),
        user=own.user if own else "",
        sentinel_user=on_sentinels.user if on_sentinels else "",
        logins=(*_logins(service.processes[:1]), *_logins(sentinels[:1], on_sentinels=True)),
    )


def _logins(processes: tuple[Process, ...], *, on_sentinels: bool = False) -> Iterator[Login]:
    for each in (who for process in processes for who in process.users.internal.values()):
        yield Login(each.who, each.user, each.password, each.commands, each.channels, on_sentinels)


def described(fleet: Fleet, service: Service) -> Described:
    """Return what the description says for the directives that a switchover changes for the time, by process id."""
    return {
        process.id: UsualValues(*(value_of(fleet.engine, process, name) for name in (PRIORITY, MIN_REPLICAS, MAX_LAG)))
        for process in service.processes
    }


def _instance(process: Process) -> Instance:
    return Instance(process.id, process.machine, process.endpoint, persists(process.plain), process.announces)
