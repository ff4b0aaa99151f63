"""What the modules are told: the fleet and the plan turned into their arguments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from redis_fleet import kinds
from redis_fleet.agent.process.first_sync import DELAY
from redis_fleet.catalogue import table
from redis_fleet.catalogue.check import value_of
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import Observed
from redis_fleet.observe.request import process_request, request, sensitive
from redis_fleet.platform import masks, unwanted_units
from redis_fleet.render.artifacts import File
from redis_fleet.render.files import kernel_files, process_files, process_folders, unit_file

Steps = Iterable[Mapping[str, Any]]
# How long a restart waits for the others to be in step before the process goes down, in seconds.
_PATIENCE = 60.0


def machine_parts(fleet: Fleet, machine: str, system: Mapping[str, str], *, kernel: bool) -> dict[str, Any]:
    """Return what prepares a machine: links that mask the default units, and the kernel's files where it is its own."""
    links = [{"path": path, "target": "/dev/null"} for path in masks(unwanted_units(fleet, machine, system))]
    files = [_file(file) for file in kernel_files(fleet, machine)] if kernel else []
    return {"supervised": True, "links": links, "files": files, "folders": []}


def process_parts(fleet: Fleet, processes: Iterable[Process], units: Iterable[Process] = ()) -> dict[str, Any]:
    """Return folders and files of the processes that are to be written; of ``units`` the unit alone."""
    written = list(processes)
    folders = [
        {"path": folder.path, "owner": folder.owner, "mode": folder.mode, "shared": folder.shared}
        for process in written
        for folder in process_folders(fleet, process)
    ]
    files = [_file(file) for process in written for file in process_files(fleet, process)]
    files += [_file(unit_file(fleet, process)) for process in units]
    return {"supervised": fleet.sandbox is None, "links": [], "files": files, "folders": folders}


def _file(file: File) -> dict[str, Any]:
    return {"path": file.path, "content": file.content.decode(), "owner": file.owner, "mode": file.mode}


def start_request(fleet: Fleet, machine: str, steps: Steps) -> dict[str, Any]:
    """Return the processes that the steps of one machine start."""
    named = {step["process"]: step for step in steps}
    processes = [
        {
            **process_request(process),
            "follow": named[process.name]["follow"],
            "edit": json.dumps(edits(fleet, process, named[process.name]["edit"])),
            "fresh": named[process.name]["fresh"],
            "expect": kinds.of(process).starts[_stage(named, process)].expect,
        }
        for process in fleet.on(machine)
        if process.name in named
    ]
    return {"processes": processes, "server": fleet.sandbox.server if fleet.sandbox else ""}


def _stage(named: Mapping[str, Mapping[str, Any]], process: Process) -> str:
    return str(named[process.name]["stage"])


def change_request(fleet: Fleet, machine: str, steps: Steps) -> dict[str, Any]:
    """Return the processes of a machine with the orders that the steps have for them, their secrets filled in."""
    processes = []
    for step in steps:
        process = next(each for each in fleet.on(machine) if each.name == step["process"])
        orders = [_filled(fleet, process, order) for order in step["orders"]]
        # As a text: Ansible would hide each word of it wherever it comes up.
        processes.append({**process_request(process), "orders": json.dumps(orders), "expect": step["expect"]})
    return {"processes": processes, "sensitive": sensitive()}


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


def edits(fleet: Fleet, process: Process, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return what remote/edit.py brings into the file of a stopped process: as described, or nothing."""
    catalogue = table.catalogue(fleet.engine, table.versions(fleet.engine)[-1])
    found = []
    for name in names:
        setting = process.setting(name)
        directive = catalogue.find(name)
        aliases = [directive.alias] if directive and directive.alias else []
        lines = [list(words) for words in (setting.lines or (("",),))] if setting else []
        found.append({"names": [name, *aliases], "lines": lines})
    return found


def restart_request(
    fleet: Fleet, members: Iterable[Process], process: Process, step: Mapping[str, Any]
) -> dict[str, Any]:
    """Return one process and what it takes to restart it; ``members`` are all servers of its service that run."""
    files = [_file(unit_file(fleet, process))] if step["unit"] else []
    running = list(members)
    return {
        "process": process_request(process),
        "expect": step["expect"],
        "edit": json.dumps(edits(fleet, process, step["edit"])),
        "files": files,
        "follow": step["follow"],
        "patience": _PATIENCE,
        "others": [
            {"address": each.endpoint.address, "port": each.endpoint.port} for each in running if each != process
        ],
        "needed": max(0, len(running) - 2) if step["expect"] == "replica" else 0,
        "masters": _known_to_sentinels(fleet) if kinds.of(process).watches else {},
        "server": fleet.sandbox.server if fleet.sandbox else "",
    }


def leave_request(seen: Observed, step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the process that leaves the deployment, as it was found on its machine."""
    process = seen.machines[step["machine"]].strangers[step["process"]].process
    return {"processes": [{**process_request(process), "purge": step["purge"]}]}


def settle_request(fleet: Fleet, machine: str) -> dict[str, Any]:
    """Return what must be in step on a machine, and how many others each Sentinel has to know."""
    asked = request(fleet, machine)
    delays = {each.name: value_of(fleet.engine, each, DELAY) for each in fleet.on(machine) if kinds.of(each).keeps_data}
    processes = [{**each, "delay": delays.get(each["name"], "")} for each in asked["processes"]]
    return {**asked, "processes": processes, "masters": _known_to_sentinels(fleet)}


def _known_to_sentinels(fleet: Fleet) -> dict[str, dict[str, int]]:
    """Return by monitor name how many replicas and other Sentinels each Sentinel has to know."""
    return {
        service.watch.name: {"replicas": len(service.processes) - 1, "sentinels": len(fleet.sentinels) - 1}
        for service in fleet.services
        if service.watch
    }
