"""As whom redis-fleet itself speaks TLS with the processes of a fleet, and whom it believes."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from redis_fleet.agent.secret import Secret
from redis_fleet.agent.tls import Tls
from redis_fleet.certificates.authority import Pair, found, issue
from redis_fleet.certificates.store import read
from redis_fleet.model import Process, ProcessTls

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


def on_machine(process: Process) -> Tls | None:
    """Return how code on the machine of a process speaks TLS by itself: known by the certificate of that process."""
    own = process.tls
    if own is None:
        return None
    password = process.setting("tls-key-file-pass")
    opened = Secret(password.reveal()[0][0]) if password else None
    return Tls(own.authorities, own.certificate, Secret(own.key), opened)


@lru_cache(maxsize=4)
def _issued(authority: Pair) -> Tls:
    mine = issue(authority, _NAME, (), life=_LIFE)
    return Tls(authority.certificate, mine.certificate, mine.key)


@lru_cache(maxsize=1)
def _nobody() -> Pair:
    return found("nobody")
