"""Who takes part in a service: ``machine`` or ``machine:port`` as the description writes it."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.description.schema import Deployment, ServiceDescription

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, order=True)
class Member:
    """One place of a service or a Sentinel."""

    machine: str
    port: int


def member(text: str, port: int) -> Member:
    """Read ``machine`` or ``machine:port``; ``port`` is the default."""
    machine, colon, own = text.partition(":")
    return Member(machine, int(own) if colon and is_number(own) else port)


def is_number(text: str) -> bool:
    """Say whether a text is a whole number of a size that can be told."""
    return text.isascii() and text.isdecimal() and len(text) < 20


def external(text: str, machines: Iterable[str] = ()) -> Endpoint | None:
    """Read ``10.9.9.9 6379`` or ``db.example.com 6379`` (or with a colon) as a master outside the file.

    None when it is no address or host name with a port, or names one of the ``machines``. A name without a dot that is
    much like a machine's is that one, mistyped.
    """
    match = re.fullmatch(r"(\S+?)(?:\s+|:)([0-9]{1,19})", text.strip())
    known = list(machines)
    if not match or match[1] in known or not (is_address(match[1]) or is_host_name(match[1])):
        return None
    if "." not in match[1] and ":" not in match[1] and nearest(match[1], known):
        return None
    return Endpoint(match[1], int(match[2]))


def external_master(service: ServiceDescription, deployment: Deployment) -> Endpoint | None:
    """Return the master outside the file that a service follows, if any."""
    return external(service.following, deployment.machines) if service.following else None


def is_address(text: str) -> bool:
    """Say whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host_name(text: str) -> bool:
    """Say whether a text is a host name (RFC 1123); one that ends in a number is a mistyped IP address (RFC 3696)."""
    return len(text) < 254 and bool(_HOST_NAME.fullmatch(text)) and not text.rpartition(".")[2].isdecimal()


def master_of(service: ServiceDescription, deployment: Deployment) -> Member | None:
    """Return the member that starts as master: ``master``, or a ``replicaof`` that names a machine of this file."""
    named = service.master or service.following
    if named is None:
        return None
    words = named.replace(" ", ":", 1)
    machine = words.partition(":")[0]
    return member(words, service.port) if machine in deployment.machines else None


def members(service: ServiceDescription, deployment: Deployment) -> Iterator[Member]:
    """Yield the known members of a service, the first master in front."""
    first = master_of(service, deployment)
    if first is not None:
        yield first
    for text in service.replicas:
        found = member(text, service.port)
        if found.machine in deployment.machines:
            yield found


def nearest(word: str, known: list[str]) -> str | None:
    """Return the known word most like a mistyped one."""
    found = difflib.get_close_matches(word, known, n=1)
    return found[0] if found else None
