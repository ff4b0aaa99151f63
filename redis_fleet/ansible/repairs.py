"""Which process is repaired, as what it comes back, and the words for what was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis_fleet.agent.messages.running import Repair
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import Observed
from redis_fleet.observe.request import managed
from redis_fleet.plan.master import agree
from redis_fleet.platform import installation


class Refusal(Exception):  # noqa: N818 (it is no error of the program)
    """The process is not to be repaired; the text says why."""


def chosen(fleet: Fleet, seen: Observed, name: str) -> tuple[Process, str]:
    """Return the process of an id and whom it has to follow (``none`` or ``ADDRESS PORT``); raises Refusal.

    A master that was replaced while it was down must not come back as one: it would take writes until the Sentinels
    notice, and they would all be lost.
    """
    servers = {process.id: process for service in fleet.services for process in service.processes}
    process = servers.get(name)
    if process is None:
        raise Refusal(f"there is no server '{name}'; there are {', '.join(servers)}")
    machine = seen.machines[process.machine]
    if machine.error:
        raise Refusal(f"{process.machine} cannot be reached: {machine.error}")
    if seen.of(process).answers:
        raise Refusal(f"{name} runs and answers, so nothing keeps it from starting")
    if not seen.of(process).deployed:
        raise Refusal(f"{name} has no configuration file; redis-fleet deploy writes one")
    agreement = agree(fleet, fleet.service(process.service), seen)
    if agreement.master is None:
        raise Refusal("; ".join(map(str, agreement.why)) or f"{process.service}: nobody says who the master is")
    master = agreement.master
    return process, "none" if master == process.endpoint else f"{master.address} {master.port}"


def repair_request(fleet: Fleet, process: Process, follow: str, *, discard: bool, timeout: float) -> Repair:
    """Return what the machine of the process has to know."""
    server = fleet.sandbox.server if fleet.sandbox else installation(fleet.engine).binaries["server"]
    return Repair(managed(process), server, follow, discard, timeout)


def said(report: Mapping[str, Any]) -> str:
    """Return what was done, or would be, as one sentence."""
    would = "would be " if report["dry"] else ""
    cut = f"{report['cut']:,} of {report['size']:,} bytes {would}cut off the end of {report['file']}"
    cut += f", with {report['commands']:,} whole commands in them" if report["commands"] else ""
    copy = f"a copy {would or 'is '}{'kept as ' if would else ''}{report['backup']}"
    if report["dry"]:
        return f"{cut}; {copy}"
    as_what = "" if report["follow"] == "none" else f" as a replica of {report['follow'].replace(' ', ':')}"
    return f"{cut}; {report['process']} runs again{as_what} with {report['keys']:,} keys; {copy}"
