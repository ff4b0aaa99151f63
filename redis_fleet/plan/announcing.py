"""Processes that are known by another announced address than the described one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet import kinds
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.description.members import is_host_name
from redis_fleet.model import Process, Service
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.plan.refusal import Refusal
from redis_fleet.settings.announced import announced


def known_as(process: Process, facts: ProcessFacts) -> Endpoint | None:
    """Return what a process that was started once announces today, or will again when it is started.

    None where it announces nothing and is described with a host name: the others know some IP address.
    """
    if not facts.started_once:
        return process.announced
    directive, word = kinds.of(process).announce, facts.value_of if facts.config else facts.word_of
    if is_host_name(process.endpoint.address) and not word(directive):
        return None
    return announced(process.endpoint, directive, word) or process.endpoint


def moved(service: Service, seen: Observed) -> Iterator[Refusal]:
    """Yield the servers that would announce another address: Sentinels and replicas know them by the old one."""
    if len(service.processes) < 2 and not service.watch:
        return
    for process in service.processes:
        known = known_as(process, seen.of(process))
        if known != process.announced:
            today = f"as {known}" if known else "by an IP address"
            what = f"is known to the others {today}, and is described as {process.announced}"
            yield Refusal("announced-otherwise", process.id, what, _remedy(service))


def _remedy(service: Service) -> str:
    sentinels = f"SENTINEL REMOVE {service.watch.name} on every Sentinel, " if service.watch else ""
    return (
        f"describe it as it is; or change it by hand and run again: {sentinels}CONFIG SET replica-announce-ip and "
        "-port on every server, REPLICAOF with the new address of the master on every replica, CONFIG REWRITE on all"
    )
