"""What the modules are told: the fleet and the plan turned into their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from redis_fleet.model import Fleet, Process
from redis_fleet.observe.request import process_request, request
from redis_fleet.platforms import masks
from redis_fleet.remote.hurry import DELAY
from redis_fleet.render.artifacts import File
from redis_fleet.render.files import kernel_files, process_files, process_folders
from redis_fleet.topology.judge import value_of

Steps = Iterable[Mapping[str, Any]]
_EXPECT = {"start_masters": "master", "start_replicas": "replica", "start_sentinels": "sentinel"}


def machine_parts(fleet: Fleet, machine: str, *, kernel: bool) -> dict[str, Any]:
    """Return what prepares a machine: links that mask the default units, and the kernel's files where it is its own."""
    links = [{"path": path, "target": "/dev/null"} for path in masks(fleet.engine)]
    files = [_file(file) for file in kernel_files(fleet, machine)] if kernel else []
    return {"supervised": True, "links": links, "files": files, "folders": []}


def process_parts(fleet: Fleet, processes: Iterable[Process]) -> dict[str, Any]:
    """Return folders and files of the processes that are to be written."""
    written = list(processes)
    folders = [
        {"path": folder.path, "owner": folder.owner, "mode": folder.mode, "shared": folder.shared}
        for process in written
        for folder in process_folders(fleet, process)
    ]
    files = [_file(file) for process in written for file in process_files(fleet, process)]
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
            "fresh": named[process.name]["fresh"],
            "expect": _EXPECT[_stage(named, process)],
        }
        for process in fleet.on(machine)
        if process.name in named
    ]
    return {"processes": processes, "server": fleet.sandbox.server if fleet.sandbox else ""}


def _stage(named: Mapping[str, Mapping[str, Any]], process: Process) -> str:
    return str(named[process.name]["stage"])


def settle_request(fleet: Fleet, machine: str) -> dict[str, Any]:
    """Return what must be in step on a machine, and how many others each Sentinel has to know."""
    masters = {
        service.watch.name: {"replicas": len(service.processes) - 1, "sentinels": len(fleet.sentinels) - 1}
        for service in fleet.services
        if service.watch
    }
    asked = request(fleet, machine)
    delays = {each.name: value_of(fleet.engine, each, DELAY) for each in fleet.on(machine) if each.kind == "server"}
    processes = [{**each, "delay": delays.get(each["name"], "")} for each in asked["processes"]]
    return {**asked, "processes": processes, "masters": masters}
