"""A service's servers: one master and any number of replicas, or replicas of a master outside the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import ClassVar, NamedTuple

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.kind import SERVER
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import check, internal_users, table
from redis_fleet.catalogue.internal_users import REPLICA, SENTINEL, InternalUser
from redis_fleet.description.load import Description
from redis_fleet.description.members import Member, external_master, is_host_name, members
from redis_fleet.description.nodes import Path
from redis_fleet.description.schema import Deployment, ServiceDescription
from redis_fleet.kinds.kind import Kind, Start
from redis_fleet.kinds.redis_sentinel import watch
from redis_fleet.model import USUAL_RESTART_DELAY, Fleet, Process, Service, Setting, Watch
from redis_fleet.platform import installation
from redis_fleet.settings import tls, users
from redis_fleet.settings.adopted import is_adopted
from redis_fleet.settings.announced import announced
from redis_fleet.settings.builder import SettingsBuilder
from redis_fleet.settings.common import (
    has_password,
    is_loopback,
    moved,
    on_socket,
    own_settings,
    reachable,
    variables,
)
from redis_fleet.settings.layout import Layout
from redis_fleet.settings.loopback_only import own_places
from redis_fleet.settings.passwords import secret

# Sentinel starts an election right after down-after, and one that finds no winner is dropped after at most 10 s
# (sentinel.c, SENTINEL_ELECTION_TIMEOUT); the rest is slack for a loaded machine.
_ELECTION_SECONDS = 15.0

WITHOUT_PORT = "socket"
"""What stands in a process's name in place of its port."""


class RedisServer(Kind):
    """A master or a replica of a service."""

    name = SERVER.name
    machine = SERVER
    order = 10
    slots = ("server",)
    binary = "server"
    configuration_file = "{engine}.conf"
    # So that the packages' own logrotate pattern, redis-server*.log, matches.
    log_file = "{engine}-server-{name}.log"
    template = "redis.conf.j2"
    starts: ClassVar[Mapping[str, Start]] = {
        "start_masters": Start("master", "as the master"),
        "start_replicas": Start("replica", "as a replica"),
    }
    keeps_data = True
    versioned = True
    announce = "replica-announce-ip"

    def title(self, engine: str) -> str:
        """Return the engine's own name."""
        return engine.capitalize()

    def headings(self) -> Iterable[str]:
        """Return the sections of the catalogue."""
        return table.sections()

    def heading(self, engine: str, setting: Setting) -> str:
        """Return the section that the catalogue has a directive in."""
        return _section(engine, setting.name)

    def section(self, process: Process) -> Path:
        """Return the section of its service."""
        return ("services", process.service)

    def service_of(self, name: str) -> str:
        """Return what stands before the port, or before what stands in its place."""
        return name.rpartition("-")[0]

    def places(self, deployment: Deployment) -> Iterator[str]:
        """Yield the members of all services."""
        for service in deployment.services.values():
            for each in members(service, deployment):
                yield from own_places(service, each)

    def place(self, description: Description, layout: Layout, fleet: Fleet) -> Fleet:
        """Return the fleet with all its services."""
        names = description.deployment.services
        services = tuple(_place(description, layout, name, watch(description, name)) for name in names)
        return replace(fleet, services=services)


KIND = RedisServer()


@lru_cache(maxsize=512)
def _section(engine: str, name: str) -> str:
    directive = table.catalogue(engine, table.versions(engine)[-1]).meant(name)
    return directive.section if directive else "Other"


def _place(description: Description, layout: Layout, name: str, watch: Watch | None) -> Service:
    """Return the service with all its processes, their settings complete."""
    service = description.deployment.services[name]
    path = ("services", name)
    password = secret(description, (*path, "password"), service.password)
    outside = external_master(service, description.deployment)
    if outside and not layout.supervised and not is_loopback(outside.address):
        what = f"is {outside}, which is outside this file, and no process of a sandbox leaves this machine"
        remedy = "describe a master of its own to try this service here"
        description.report((*path, service.following_key), what, remedy)
    given = users.of_section(description, path, service, password, _internal(description, service, watch))
    login = given.users.internal.get(REPLICA) if not _names_user(service) else None
    told = secret(description, (*path, "master-password"), service.master_password)
    upstream = Upstream(login.user if login else "", login.password if login else told or password)
    first, processes = outside, tuple[Process, ...]()
    # The first master comes first, and what the others follow is what it announces.
    for member in members(service, description.deployment):
        process = _process(description, layout, name, member, first, password, upstream, given)
        first = first or process.announced
        processes = (*processes, process)
    delay = _restart_delay(processes, watch)
    if delay != USUAL_RESTART_DELAY:
        processes = tuple(replace(each, restart_delay=delay) for each in processes)
    if watch and layout.supervised and not service.adopted and _hands_over(service, description.deployment):
        processes = tuple(replace(each, hands_over=True) for each in processes)
    by = given.users.internal.get(SENTINEL) if watch else None
    return Service(name, processes, password, watch, outside, by)


class Upstream(NamedTuple):
    """Whom a replica logs in to its master as; an empty ``user`` is the default one."""

    user: str
    password: Secret | None


def _internal(description: Description, service: ServiceDescription, watch: Watch | None) -> tuple[InternalUser, ...]:
    deployment = description.deployment
    # Sentinels of Valkey 9 can be asked for a failover that is coordinated with the master.
    newest = deployment.version is None or int(deployment.version.partition(".")[0]) >= 9
    made = internal_users.on_servers(
        watched=watch is not None,
        replicated=bool(service.replicas) and not external_master(service, deployment),
        coordinated=deployment.engine == "valkey" and newest,
    )
    return users.internal_for(description, made)


def _names_user(service: ServiceDescription) -> bool:
    """Say whether the description itself says whom replicas log in as."""
    return any(name.lower() in ("masteruser", "primaryuser") for name in service.config)


def _hands_over(service: ServiceDescription, deployment: Deployment) -> bool:
    return deployment.crash_handover if service.crash_handover is None else service.crash_handover


def _process(
    description: Description,
    layout: Layout,
    name: str,
    member: Member,
    follows: Endpoint | None,
    password: Secret | None,
    upstream: Upstream,
    given: users.Given,
) -> Process:
    deployment = description.deployment
    service = deployment.services[name]
    path = ("services", name)
    address = deployment.machines[member.machine].address
    endpoint = layout.endpoint(member.machine, address, member.port)
    title = f"{name}-{member.port or WITHOUT_PORT}"
    paths = layout.paths(installation(deployment.engine), KIND, member.machine, title)
    builder = SettingsBuilder(description, variables(description, member.machine, endpoint, title))
    own_settings(builder, path, service, layout, endpoint, paths)
    tls.set_lines(builder, path, service, layout, endpoint, paths)
    taken_over = is_adopted(service.adopted, layout)
    if not taken_over:
        bound = builder.settings["bind"].lines[0] if endpoint.port else ()
        # A default user without a password, whatever it may do, is what protected-mode keeps others out for.
        open_to_all = reachable(bound) and (not has_password(description, path) or given.users.default == users.PING)
        builder.set("protected-mode", ("no" if open_to_all else "yes",))
        builder.set("save", *check.default_lines(deployment.engine, "save"))
        builder.set("appendonly", ("no",))
    default = given.users.default
    if password and default == "on":
        builder.set("requirepass", (password,), secret=True)
    if upstream.password and _needs_upstream(service, taken_over=taken_over):
        if upstream.user:
            builder.set("masteruser", (upstream.user,), secret=True)
        builder.set("masterauth", (upstream.password,), secret=True)
    if is_host_name(endpoint.address) and not taken_over:
        # Else its master lists it by the address that its connection comes from.
        builder.set(KIND.announce, (endpoint.address,))
    if follows:
        builder.set("replicaof", (follows.address, follows.port))
    if not layout.supervised:
        # Nobody waits for more replicas here: the first synchronisation starts at once.
        builder.set("repl-diskless-sync-delay", ("0",))
    modules = "loadmodule" in map(str.lower, service.config)
    judge = partial(check.server, adopted=service.adopted is not None, modules=modules)
    builder.add_described((*path, "config"), service.config, judge)
    given.put(builder)
    paths = moved(builder, path, service, member, paths, layout)
    endpoint = on_socket(builder, endpoint, paths)
    settings = tuple(builder.settings.values())
    announces = announced(endpoint, KIND.announce, builder.word)
    return Process(
        *(title, KIND.name, member.machine, name, endpoint, settings, paths, password if default == "on" else None),
        follows=follows,
        adopted=taken_over,
        announces=announces,
        tls=tls.of_process(builder, layout, endpoint, announces, paths),
        users=given.users,
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
    if len(processes) < 2 or all(check.persists(each.plain) for each in processes):
        return USUAL_RESTART_DELAY
    return watch.down_after / 1000 + _ELECTION_SECONDS if watch else None
