"""As whom redis-fleet itself speaks TLS with the processes of a fleet, and whom it believes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

from redis_fleet.agent.messages.certificates import CertificateFiles
from redis_fleet.agent.secret import Secret
from redis_fleet.agent.tls import Tls
from redis_fleet.certificates.authority import found, issue
from redis_fleet.certificates.store import Authority, read
from redis_fleet.model import Fleet, Process, ProcessTls

_NAME = "redis-fleet"
_LIFE = timedelta(days=1)
"""Of a certificate that is made for one run, and kept nowhere."""


def of(own: ProcessTls) -> Tls:
    """Return how redis-fleet speaks TLS with a process; where certificates are given, it is known by the very same.

    Raises UnreadableError for an authority that cannot be read.
    """
    given = own.given
    if given:
        return Tls(given.authorities, given.certificate, given.key, given.key_password)
    # Before the first deployment there is none, and nobody to talk to.
    return _issued(read(own.authority) or _nobody())


def files(process: Process) -> CertificateFiles | None:
    """Return where a process has its certificate; None where it speaks no TLS."""
    own = process.tls
    if own is None:
        return None
    password = process.setting("tls-key-file-pass")
    opened = Secret(password.reveal()[0][0]) if password else None
    return CertificateFiles(own.certificate, own.key, own.authorities, opened)


def on_machine(process: Process) -> Tls | None:
    """Return how code on the machine of a process speaks TLS by itself: known by the certificate of that process."""
    own = files(process)
    return Tls(own.authorities, own.certificate, Secret(own.key), own.key_password) if own else None


def with_believed(fleet: Fleet) -> Fleet:
    """Return the fleet with what is believed now: its authority may have been made since it was read."""

    def told(process: Process) -> Process:
        own = process.tls
        known = read(own.authority) if own and own.authority else None
        if own is None or known is None or known.believed == own.believed:
            return process
        return replace(process, tls=replace(own, believed=known.believed))

    if not any(each.tls for each in fleet.processes):
        return fleet
    services = tuple(replace(each, processes=tuple(map(told, each.processes))) for each in fleet.services)
    return replace(fleet, services=services, sentinels=tuple(map(told, fleet.sentinels)))


@lru_cache(maxsize=4)
def _issued(authority: Authority) -> Tls:
    mine = issue(authority.trusted, _NAME, (), life=_LIFE)
    return Tls(authority.believed, mine.certificate, mine.key)


@lru_cache(maxsize=1)
def _nobody() -> Authority:
    nobody = found("nobody")
    return Authority(nobody, nobody.certificate, nobody)
