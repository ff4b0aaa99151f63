"""What the machines are asked for: the fleet and the plan turned into requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from redis_fleet import kinds
from redis_fleet.agent.messages.files import Edit, File, Files, Folder, Link, Prepare
from redis_fleet.agent.messages.orders import (
    DIRECTIVE,
    OWN_RULE,
    SENTINEL_PASS,
    USER_RULE,
    Change,
    Changing,
    Order,
    PutCertificate,
    SecretRef,
)
from redis_fleet.agent.messages.running import Decommission, Leaving, Peers, Restart, Start, Starting, WaitInSync
from redis_fleet.agent.process.first_sync import DELAY
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import acl, table
from redis_fleet.catalogue.check import value_of
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import Observed
from redis_fleet.observe.request import managed, request, sensitive
from redis_fleet.plan import orders, passwords, users
from redis_fleet.platform import masks, unwanted_units
from redis_fleet.render import handover, tls_files
from redis_fleet.render.artifacts import File as Rendered
from redis_fleet.render.files import kernel_files, process_files, process_folders, unit_files

Steps = Iterable[Mapping[str, Any]]
# How long a restart waits for the others to be in step before the process goes down, in seconds.
_PATIENCE = 60.0


def prepare_request(
    fleet: Fleet, machine: str, system: Mapping[str, str], packages: Iterable[str], *, kernel: bool
) -> Prepare:
    """Return what prepares a machine: links that mask the default units, and the kernel's files where it is its own."""
    links = tuple(Link(path, "/dev/null") for path in masks(unwanted_units(fleet, machine, system)))
    files = tuple(_file(file) for file in kernel_files(fleet, machine)) if kernel else ()
    return Prepare(Files(supervised=True, links=links, files=files), tuple(packages))


def process_parts(
    fleet: Fleet,
    processes: Iterable[Process],
    units: Iterable[Process] = (),
    certificates: Iterable[Process] = (),
    *,
    dry: bool = False,
) -> Files:
    """Return folders and files of the processes that are to be written; of ``units`` the unit and what is its own.

    Certificates are made for them, and an authority before that where there is none yet, but for a ``dry`` run.
    """
    written = list(processes)
    folders = [
        Folder(folder.path, folder.owner, folder.mode, folder.shared)
        for process in written
        for folder in process_folders(fleet, process)
    ]
    certified = [*written, *certificates]
    files = [_file(file) for process in certified for file in tls_files.files(fleet, process, dry=dry)]
    files += [_file(file) for process in written for file in process_files(fleet, process)]
    others = list(units)
    folders += [Folder(each.path, each.owner, each.mode) for process in others for each in handover.folders(process)]
    files += [_file(file) for process in others for file in unit_files(fleet, process)]
    gone = tuple(handover.folder(each) for each in others if not each.hands_over and kinds.of(each).keeps_data)
    programs = tuple(handover.paths(each)[0] for each in (*written, *others) if each.hands_over)
    return Files(fleet.sandbox is None, tuple(folders), tuple(files), gone=gone, programs=programs)


def _file(file: Rendered) -> File:
    return File(file.path, Secret(file.content.decode()), file.owner, file.mode)


def start_request(fleet: Fleet, machine: str, steps: Steps, files: Files, timeout: float) -> Start:
    """Return the files to write, and the processes that the steps of one machine start."""
    named = {step["process"]: step for step in steps}
    processes = tuple(
        Starting(
            managed(process),
            expect=kinds.of(process).starts[_stage(named, process)].expect,
            edit=edits(fleet, process, named[process.name]["edit"]),
            follow=named[process.name]["follow"],
            fresh=named[process.name]["fresh"],
        )
        for process in fleet.on(machine)
        if process.name in named
    )
    return Start(files, processes, fleet.sandbox.server if fleet.sandbox else "", timeout)


def _stage(named: Mapping[str, Mapping[str, Any]], process: Process) -> str:
    return str(named[process.name]["stage"])


def change_request(fleet: Fleet, machine: str, steps: Steps, *, dry: bool = False) -> Change:
    """Return the processes of a machine with the orders that the steps have for them, their secrets filled in."""
    changing = []
    for step in steps:
        process = next(each for each in fleet.on(machine) if each.name == step["process"])
        filled = tuple(_filled(fleet, process, orders.from_dict(order), dry=dry) for order in step["orders"])
        changing.append(Changing(managed(process), filled, step["expect"]))
    return Change(tuple(changing), sensitive())


def _filled(fleet: Fleet, process: Process, order: Order, *, dry: bool) -> Order:
    """Put the described secrets where the plan says which one belongs there, and a new certificate where one does."""
    if isinstance(order, PutCertificate):
        return replace(order, files=tuple(map(_file, tls_files.files(fleet, process, dry=dry))))

    def secret(which: SecretRef) -> Secret:
        return Secret(described_secret(process, which))

    return replace(order, **{each.name: _put(getattr(order, each.name), secret) for each in fields(order)})


def _put(value: Any, secret: Callable[[SecretRef], Secret]) -> Any:
    if isinstance(value, tuple):
        return tuple(_put(each, secret) for each in value)
    return secret(value) if isinstance(value, SecretRef) else value


def described_secret(process: Process, which: SecretRef) -> str:
    """Return the secret that an order to a process means, in clear; empty where the description has none."""
    own = process.password.reveal() if process.password else ""
    if which.of == OWN_RULE:
        return f">{own}"
    if which.of == DIRECTIVE:
        return _of_directive(process, which.name)
    if which.of == USER_RULE:
        # Its hash does the same, and nobody between here and there can log in with it.
        return acl.hashed(users.described(process)[which.name][which.number])
    if which.of == SENTINEL_PASS:
        return _of_directive(process, "sentinel sentinel-pass") or own
    return passwords.of_monitor(process, which.name, which.monitor)


def _of_directive(process: Process, name: str) -> str:
    setting = process.setting(name)
    return " ".join(setting.reveal()[0]) if setting else ""


def edits(fleet: Fleet, process: Process, names: Iterable[str]) -> tuple[Edit, ...]:
    """Return what is brought into the file of a stopped process: as described, or nothing."""
    catalogue = table.catalogue(fleet.engine, table.versions(fleet.engine)[-1])
    found = []
    for name in names:
        setting = process.setting(name)
        directive = catalogue.find(name)
        aliases = [directive.alias] if directive and directive.alias else []
        lines = tuple(tuple(words) for words in (setting.reveal() or (("",),))) if setting else ()
        if name == "user":
            lines = (*lines, *((absent,) for absent in process.users.absent))
        found.append(Edit((name, *aliases), lines))
    return tuple(found)


def restart_request(
    fleet: Fleet,
    members: Iterable[Process],
    process: Process,
    step: Mapping[str, Any],
    timeout: float,
    *,
    dry: bool = False,
) -> Restart:
    """Return one process and what it takes to restart it; ``members`` are all servers of its service that run."""
    running = list(members)
    return Restart(
        process=managed(process),
        expect=step["expect"],
        edit=edits(fleet, process, step["edit"]),
        parts=_renewed(fleet, process, step, dry=dry),
        follow=step["follow"],
        others=tuple(each.announced for each in running if each != process),
        needed=max(0, len(running) - 2) if step["expect"] == "replica" else 0,
        masters=_known_to_sentinels(fleet) if kinds.of(process).watches else {},
        server=fleet.sandbox.server if fleet.sandbox else "",
        patience=_PATIENCE,
        timeout=timeout,
    )


def _renewed(fleet: Fleet, process: Process, step: Mapping[str, Any], *, dry: bool) -> Files:
    """Return what is written while a process is down; where there is nothing, nothing is asked of systemd."""
    units, certificates = ([process] if step[key] else [] for key in ("unit", "certificate"))
    return process_parts(fleet, (), units, certificates, dry=dry)


def decommission_request(seen: Observed, step: Mapping[str, Any]) -> Decommission:
    """Return the process that leaves the deployment, as it was found on its machine."""
    process = seen.machines[step["machine"]].strangers[step["process"]].process
    return Decommission((Leaving(managed(process), purge=step["purge"]),))


def wait_request(fleet: Fleet, machine: str, timeout: float) -> WaitInSync:
    """Return what must be in step on a machine, and how many others each Sentinel has to know."""
    asked = request(fleet, machine)
    delays = {each.name: value_of(fleet.engine, each, DELAY) for each in fleet.on(machine) if kinds.of(each).keeps_data}
    return WaitInSync(
        processes=asked.processes,
        host=asked.host,
        sensitive=asked.sensitive,
        masters=_known_to_sentinels(fleet),
        delays={name: delay for name, delay in delays.items() if delay},
        timeout=timeout,
    )


def _known_to_sentinels(fleet: Fleet) -> dict[str, Peers]:
    """Return by monitor name how many replicas and other Sentinels each Sentinel has to know."""
    return {
        service.watch.name: Peers(len(service.processes) - 1, len(fleet.sentinels) - 1)
        for service in fleet.services
        if service.watch
    }
