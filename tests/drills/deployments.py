"""Deployments of plain processes for drills: a master with two replicas, or a whole group with its Sentinels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance
from redis_fleet.agent.replication.agreement import agreed_master
from redis_fleet.agent.replication.view import view
from redis_fleet.agent.secret import Secret
from redis_fleet.drills.context import Client, Deployment, NotHereError, Place
from redis_fleet.drills.drill import find, perform
from redis_fleet.drills.lab import Lab, Server
from redis_fleet.drills.replication_lab import await_link
from redis_fleet.drills.report import DrillReport, Step
from redis_fleet.model import Fleet, Paths, Process, Service, Watch
from redis_fleet.operations import failover_drill
from redis_fleet.operations.local import LocalClient
from tests.harness.live.processes import (
    DOWN_AFTER_MS,
    FAILOVER_TIMEOUT_MS,
    MONITOR,
    PASSWORD,
    SENTINEL_PASSWORD,
    Group,
    eventually,
)
from tests.harness.live.switching import switch


class Hands:
    """Kills by signal, and starts again as a replica of the master of then, as a machine of a deployment does."""

    def __init__(self, group: Group) -> None:
        """Begin with clean hands."""
        self.group = group

    def take_away(self, process_id: str, how: str) -> str:  # noqa: ARG002 (one way is enough)
        """Kill a process."""
        self.group.kill(process_id)
        return "nothing restarts it"

    def release(self, process_id: str) -> None:
        """Start it again."""
        address, _, port = agreed_master(view(self.group.target)).rpartition(":")
        with (self.group.folder / process_id / "conf").open("a") as file:
            file.write(f"replicaof {address} {port}\n")
        self.group.start(process_id)


def of_group(group: Group, *, disturb: bool) -> Deployment:
    """Return a group with Sentinels as a deployment."""
    watch = Watch("orders", MONITOR, 2, DOWN_AFTER_MS, FAILOVER_TIMEOUT_MS, 1)
    members = tuple(_process(node, "redis", PASSWORD) for node in group.target.members)
    sentinels = tuple(_process(node, "sentinel", SENTINEL_PASSWORD) for node in group.target.sentinels)
    return _deployment(
        Service("orders", members, Secret(PASSWORD), watch),
        sentinels,
        disturb,
        lambda: _failed_over(group),
        lambda: switch(group).to_dict(),
    )


def _failed_over(group: Group) -> dict[str, Any]:
    report = failover_drill.run(group.target, Hands(group), LocalClient(group.target), lambda _: None)
    return {**report.to_dict(), "writes": [asdict(each) for each in report.writes]}


@contextmanager
def small(server: str, *lines: str) -> Iterator[tuple[Deployment, list[Server]]]:
    """Run a master with two replicas, without Sentinels and without a password; lines stand in all their files."""
    with Lab(server) as lab:
        servers = [lab.server(f"red{number}", 'save ""', *lines).start() for number in (1, 2, 3)]
        for replica in servers[1:]:
            replica.call("REPLICAOF", "127.0.0.1", servers[0].port)
            await_link(replica, servers[0])
        nodes: list[Instance] = [
            Instance(f"orders@{each.name}", each.name, Endpoint("127.0.0.1", each.port)) for each in servers
        ]
        members = tuple(_process(node, "redis", None) for node in nodes)
        made = _deployment(Service("orders", members, None), (), False, _never, _never)
        yield made, servers
        made.close()


def _never() -> Mapping[str, Any]:
    raise NotHereError("nobody may be moved here")


def _process(node: Instance, kind: Any, password: str | None) -> Process:
    paths = Paths("/nowhere", "/nowhere", "/nowhere", "/nowhere")
    secret = Secret(password) if password else None
    name = node.id.partition("@")[0]
    return Process(name, kind, node.machine, "orders", node.endpoint, (), paths, secret)


def _deployment(
    service: Service,
    sentinels: tuple[Process, ...],
    disturb: bool,
    failed: Callable[[], Mapping[str, Any]],
    switched: Callable[[], Mapping[str, Any]],
) -> Deployment:
    fleet = Fleet("tests", "redis", "nowhere", {}, (service,), sentinels)
    return Deployment(fleet, service, disturb, failed, switched)


def performed_on(name: str, deployment: Deployment, server: str = "") -> DrillReport:
    """Run a drill on a deployment; it must leave no key behind on any of its servers, reached or not.

    Without ``server`` what needs servers of the drill's own is left out.
    """
    drill = find(name)
    assert drill
    place = Place(server, lambda: deployment)
    report = perform(drill, place, _ignore)
    for client in [*deployment.replicas(), *_masters(deployment)]:
        # A replica that has just come back learns of the last removals a little later.
        eventually(partial(_bare, client, place.prefix), f"no key is left at {client.name}")
    return report


def _bare(client: Client, prefix: str) -> bool:
    return not client.call("KEYS", f"{prefix}*")


def _masters(deployment: Deployment) -> list[Client]:
    replicas = {client.name for client in deployment.replicas()}
    clients = [client for name, client in deployment._clients.items() if "sentinel" not in name]
    return [client for client in clients if client.name not in replicas and _answers(client)]


def _answers(client: Client) -> bool:
    try:
        return bool(client.call("PING") == "PONG")
    except OSError:
        return False


def _ignore(step: Step) -> None:
    """Nobody looks at the steps while they come."""
