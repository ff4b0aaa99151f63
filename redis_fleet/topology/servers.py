"""A service's servers: one master and any number of replicas, or replicas of a master outside the file."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import check
from redis_fleet.description.load import Description
from redis_fleet.description.members import Member, external, master_of, members
from redis_fleet.description.schema import ServiceDescription
from redis_fleet.model import USUAL_RESTART_DELAY, Process, Service, Watch
from redis_fleet.topology.adopted import is_adopted
from redis_fleet.topology.common_settings import has_password, moved, own_settings, reachable, variables
from redis_fleet.topology.engines import ENGINES
from redis_fleet.topology.layout import Layout
from redis_fleet.topology.settings_builder import Sheet, secret

# Sentinel starts an election right after down-after, and one that finds no winner is dropped after at most 10 s
# (sentinel.c, SENTINEL_ELECTION_TIMEOUT); the rest is slack for a loaded machine.
_ELECTION_SECONDS = 15.0


def place(description: Description, layout: Layout, name: str, watch: Watch | None) -> Service:
    """Return the service with all its processes, their settings complete."""
    service = description.deployment.services[name]
    path = ("services", name)
    password = secret(description, (*path, "password"), service.password)
    outside = external(service.following) if service.following else None
    upstream = secret(description, (*path, "master-password"), service.master_password) or password
    processes = tuple(
        _process(description, layout, name, member, _follows(description, layout, service, member), password, upstream)
        for member in members(service, description.deployment)
    )
    delay = _restart_delay(processes, watch)
    if delay != USUAL_RESTART_DELAY:
        processes = tuple(replace(each, restart_delay=delay) for each in processes)
    return Service(name, processes, password, watch, outside)


def _follows(description: Description, layout: Layout, service: ServiceDescription, member: Member) -> Endpoint | None:
    outside = external(service.following) if service.following else None
    master = master_of(service, description.deployment)
    if outside or master is None or member == master:
        return outside
    address = description.deployment.machines[master.machine].address
    return layout.endpoint(master.machine, address, master.port)


def _process(
    description: Description,
    layout: Layout,
    name: str,
    member: Member,
    follows: Endpoint | None,
    password: Secret | None,
    upstream: Secret | None,
) -> Process:
    deployment = description.deployment
    service = deployment.services[name]
    path = ("services", name)
    address = deployment.machines[member.machine].address
    endpoint = layout.endpoint(member.machine, address, member.port)
    title = f"{name}-{member.port}"
    paths = layout.paths(ENGINES[deployment.engine], "server", member.machine, title)
    sheet = Sheet(description, variables(description, member.machine, endpoint, title))
    own_settings(sheet, path, service, layout, endpoint, paths)
    taken_over = is_adopted(service.adopted, layout)
    if not taken_over:
        open_to_all = reachable(sheet.settings["bind"].lines[0]) and not has_password(description, path)
        sheet.put("protected-mode", ("no" if open_to_all else "yes",))
        sheet.put("save", *check.default_lines(deployment.engine, "save"))
        sheet.put("appendonly", ("no",))
    if password:
        sheet.put("requirepass", (password.reveal(),), secret=True)
    if upstream and _needs_upstream(service, taken_over=taken_over):
        sheet.put("masterauth", (upstream.reveal(),), secret=True)
    if follows:
        sheet.put("replicaof", (follows.address, follows.port))
    if not layout.supervised:
        # Nobody waits for more replicas here: the first synchronisation starts at once.
        sheet.put("repl-diskless-sync-delay", ("0",))
    sheet.take((*path, "config"), service.config, partial(check.server, adopted=service.adopted is not None))
    paths = moved(sheet, path, service, paths, layout)
    settings = tuple(sheet.settings.values())
    return Process(
        title, "server", member.machine, name, endpoint, settings, paths, password, follows, adopted=taken_over
    )


def _needs_upstream(service: ServiceDescription, *, taken_over: bool) -> bool:
    """Whether a server is told its master's password; one that was adopted and stands alone may not have it."""
    return not taken_over or bool(service.replicas or service.following or service.master_password)


def _restart_delay(processes: tuple[Process, ...], watch: Watch | None) -> float | None:
    """Seconds until a crashed process comes back.

    A master without persistence that comes back before Sentinel has noticed is empty and empties its replicas
    (measured: all at 0 keys within 0.5 s), so it waits for detection and election; where nobody would elect, it stays
    down. Without replicas there is nothing to empty.
    """
    if len(processes) < 2 or all(_persists(each) for each in processes):
        return USUAL_RESTART_DELAY
    return watch.down_after / 1000 + _ELECTION_SECONDS if watch else None


def _persists(process: Process) -> bool:
    return check.persists((setting.name, setting.lines) for setting in process.settings)
