"""Rules about certificates that the file gives: the server itself would serve almost anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from redis_fleet.certificates.leaf import UnreadableError, unfit
from redis_fleet.model import Given, Process
from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.subject import Subject

_PATH = ("tls", "certificate")


@rule(
    "E70",
    "a certificate that nobody could be known by",
    reason="a server serves an expired certificate, one of another authority or for another name without a word; then"
    " clients, replicas and Sentinels are turned away one after the other, at their next connection",
    source="tls.c: tlsConfigure; tried on redis 6.0.16 to 8.0.2 and valkey 8.1.1, 9.1.2",
    remedy="describe one that is valid now, for the machine's address, for servers and clients, with its key and"
    " authority; or leave the three out: an authority of the deployment's own then makes them",
    directives=("tls-cert-file", "tls-key-file", "tls-ca-cert-file"),
    firm="processes could not connect to each other",
)
def nobody(subject: Subject) -> Iterator[Finding]:
    """Each process is client and server, and is known by its address; what is the same for several is said once."""
    found: dict[str, list[str]] = {}
    for process in subject.fleet.processes:
        if process.tls and process.tls.given:
            for what in _wrong(process, process.tls.given):
                found.setdefault(what, []).append(process.id)
    for what, names in found.items():
        whose = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        yield Finding(_PATH, f"{what} (of {whose})")


def _wrong(process: Process, given: Given) -> Iterator[str]:
    places = (process.announced.address,)
    try:
        yield from unfit(given.certificate, given.key, given.key_password, given.authorities, datetime.now(UTC), places)
    except UnreadableError as error:
        yield str(error)
