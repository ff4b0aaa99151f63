"""What to look at on a machine: the request for ``redis_fleet.agent.inspect.observe``."""

from __future__ import annotations

from functools import cache

from redis_fleet import kinds
from redis_fleet.agent.access import Access
from redis_fleet.agent.host.systemd import UNITS
from redis_fleet.agent.messages.observation import Observe, ObservedHost
from redis_fleet.agent.messages.process import ManagedProcess
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue import table
from redis_fleet.model import Fleet, Process
from redis_fleet.platform import engines, installation, masks, packages, possible_units
from redis_fleet.render import handover
from redis_fleet.render.files import has_unit_file, kernel_files
from redis_fleet.topology import identity
from redis_fleet.topology.state_paths import journal_file, masters_file


def request(fleet: Fleet, machine: str) -> Observe:
    """Return the request for one machine; it carries the passwords that its processes want."""
    return Observe(
        processes=tuple(managed(process) for process in fleet.on(machine)),
        host=None if fleet.sandbox else host_request(fleet, machine),
        sensitive=sensitive(),
        units="" if fleet.sandbox else f"{UNITS}{fleet.engine}-*.service",
        deployment=fleet.name,
        root=f"{fleet.sandbox.root}/{machine}" if fleet.sandbox else "",
        records=masters_file(fleet, machine),
        journal=journal_file(fleet, machine),
        kinds=tuple(kind.machine for kind in kinds.KINDS.values()),
    )


def host_request(fleet: Fleet, machine: str) -> ObservedHost:
    """Return what is to be known of a machine beside its processes."""
    own = [each for each in fleet.on(machine) if has_unit_file(each)]
    units = [each.paths.unit for each in own]
    # Also where they are not wanted: they may be left of before.
    handing = [handover.paths(each) for each in own if kinds.of(each).keeps_data]
    return ObservedHost(
        binary=installation(fleet.engine).binaries["server"],
        packages=tuple(packages(fleet.engine)),
        default_units=tuple(possible_units(fleet, machine)),
        masks=tuple(masks(possible_units(fleet, machine))),
        # Of files that never change by themselves; configuration files do.
        files=(*(file.path for file in kernel_files(fleet, machine)), *units, *(code for code, _ in handing)),
        texts=tuple(units),
        sealed=tuple(knows for _, knows in handing),
    )


@cache
def sensitive() -> tuple[str, ...]:
    """Return the names of all directives, of any engine and version, whose values are secrets.

    Not of the described engine alone: what runs may be the other, with names of its own (``primaryauth``).
    """
    names = {"user"}  # its line carries password hashes
    for engine, version in [(each, version) for each in engines() for version in table.versions(each)]:
        directives = [each for each in table.catalogue(engine, version) if each.sensitive]
        names |= {name for each in directives for name in (each.name, each.alias) if name}
        found = (sentinel_table.find(engine, version, name) for name in sentinel_table.names(engine, version))
        names |= {each.name for each in found if each and each.value.sensitive}
    return tuple(sorted(names))


def managed(process: Process) -> ManagedProcess:
    """Return what the code on a machine has to know of one process; it carries its password."""
    login = process.login
    return ManagedProcess(
        name=process.name,
        kind=kinds.of(process).machine,
        access=access(process),
        default=process.password if login else None,
        previous=login.previous if login else None,
        configuration=process.paths.configuration,
        unit=process.unit,
        data=process.paths.data,
        log=process.paths.log,
        pid=process.paths.pid,
        certificates=identity.files(process),
    )


def access(process: Process) -> Access:
    """Return how redis-fleet gets into a process."""
    login, own = process.login, process.tls
    secret, user = (login.password, login.user) if login else (process.password, "")
    if own is None:
        return Access(process.endpoint, secret, user)
    return Access(process.endpoint, secret, user, identity.of(own), process.announced.address)
