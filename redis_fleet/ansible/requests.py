"""What the machines are asked for: the fleet and the plan turned into requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from redis_fleet import kinds
from redis_fleet.agent.messages.files import Edit, File, Files, Folder, Link, Prepare
from redis_fleet.agent.messages.running import Decommission, Leaving, Peers, Restart, Start, Starting, WaitInSync
from redis_fleet.agent.options import arguments
from redis_fleet.agent.process.first_sync import DELAY
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import table
from redis_fleet.catalogue.check import value_of
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import Observed
from redis_fleet.observe.request import managed, request, sensitive
from redis_fleet.platform import masks, unwanted_units
from redis_fleet.render.artifacts import File as Rendered
from redis_fleet.render.files import kernel_files, process_files, process_folders, unit_file

Steps = Iterable[Mapping[str, Any]]
# How long a restart waits for the others to be in step before the process goes down, in seconds.
_PATIENCE = 60.0


def prepare_request(
    fleet: Fleet, machine: str, packages: Iterable[str], system: Mapping[str, str], *, kernel: bool
) -> Prepare:
    """Return what prepares a machine: links that mask the default units, and the kernel's files where it is its own."""
    links = tuple(Link(path, "/dev/null") for path in masks(unwanted_units(fleet, machine, system)))
    files = tuple(_file(file) for file in kernel_files(fleet, machine)) if kernel else ()
    return Prepare(Files(supervised=True, links=links, files=files), tuple(packages))


def process_parts(fleet: Fleet, processes: Iterable[Process], units: Iterable[Process] = ()) -> Files:
    """Return folders and files of the processes that are to be written; of ``units`` the unit alone."""
    written = list(processes)
    folders = [
        Folder(folder.path, folder.owner, folder.mode, folder.shared)
        for process in written
        for folder in process_folders(fleet, process)
    ]
    files = [_file(file) for process in written for file in process_files(fleet, process)]
    files += [_file(unit_file(fleet, process)) for process in units]
    return Files(fleet.sandbox is None, tuple(folders), tuple(files))


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


def change_request(fleet: Fleet, machine: str, steps: Steps) -> dict[str, Any]:
    """Return the processes of a machine with the orders that the steps have for them, their secrets filled in."""
    processes = []
    for step in steps:
        process = next(each for each in fleet.on(machine) if each.name == step["process"])
        orders = [_filled(fleet, process, order) for order in step["orders"]]
        # As a text: Ansible would hide each word of it wherever it comes up.
        processes.append({**arguments(managed(process)), "orders": json.dumps(orders), "expect": step["expect"]})
    return {"processes": processes, "sensitive": list(sensitive())}


def _filled(fleet: Fleet, process: Process, order: Mapping[str, Any]) -> dict[str, Any]:
    """Put the described secrets where the plan says None."""
    if order["do"] == "set":
        pairs = [[name, _secret(process, name) if value is None else value] for name, value in order["pairs"]]
        return {**order, "pairs": pairs}
    if order["do"] == "masterauth":
        return {**order, "value": _secret(process, "masterauth")}
    if order["do"] == "command" and None in order["words"]:
        words = order["words"]
        return {**order, "words": [_word(fleet, process, words) if word is None else word for word in words]}
    return dict(order)


def _secret(process: Process, name: str) -> str:
    setting = process.setting(name)
    return " ".join(setting.lines[0]) if setting else ""


def _word(fleet: Fleet, process: Process, words: list[str | None]) -> str:
    """Return what a command lacks: a Sentinel's own password, or what stands in its description for that master."""
    own = process.password.reveal() if process.password else ""
    if words[0] == "ACL":
        return f">{own}"
    if words[:3] == ["SENTINEL", "CONFIG", "SET"]:
        return _secret(process, f"sentinel {words[3]}") or own
    if words[3] == "auth-pass":
        service = next(each for each in fleet.services if each.watch and each.watch.name == words[2])
        return service.password.reveal() if service.password else ""
    setting = process.setting(f"sentinel {words[3]}")
    return next((line[-1] for line in setting.lines if line[0] == words[2]), "") if setting else ""


def edits(fleet: Fleet, process: Process, names: Iterable[str]) -> tuple[Edit, ...]:
    """Return what is brought into the file of a stopped process: as described, or nothing."""
    catalogue = table.catalogue(fleet.engine, table.versions(fleet.engine)[-1])
    found = []
    for name in names:
        setting = process.setting(name)
        directive = catalogue.find(name)
        aliases = [directive.alias] if directive and directive.alias else []
        lines = tuple(tuple(words) for words in (setting.lines or (("",),))) if setting else ()
        found.append(Edit((name, *aliases), lines))
    return tuple(found)


def restart_request(
    fleet: Fleet, members: Iterable[Process], process: Process, step: Mapping[str, Any], timeout: float
) -> Restart:
    """Return one process and what it takes to restart it; ``members`` are all servers of its service that run."""
    running = list(members)
    return Restart(
        process=managed(process),
        expect=step["expect"],
        edit=edits(fleet, process, step["edit"]),
        files=(_file(unit_file(fleet, process)),) if step["unit"] else (),
        follow=step["follow"],
        others=tuple(each.endpoint for each in running if each != process),
        needed=max(0, len(running) - 2) if step["expect"] == "replica" else 0,
        masters=_known_to_sentinels(fleet) if kinds.of(process).watches else {},
        server=fleet.sandbox.server if fleet.sandbox else "",
        patience=_PATIENCE,
        timeout=timeout,
    )


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
