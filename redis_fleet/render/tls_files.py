"""The certificate of a process, its key and whom it believes, as files; an authority of one's own makes them here."""

from __future__ import annotations

from posixpath import dirname

from redis_fleet.certificates import store
from redis_fleet.certificates.authority import found, issue
from redis_fleet.certificates.store import Authority
from redis_fleet.model import Fleet, Given, Process, ProcessTls
from redis_fleet.platform import installation
from redis_fleet.render.artifacts import File, Folder


def folders(fleet: Fleet, process: Process) -> tuple[Folder, ...]:
    """Return the folder that the files are in; none for a process that speaks no TLS."""
    own = process.tls
    return (Folder(dirname(own.key), _owner(fleet), 0o700 if fleet.sandbox else 0o750),) if own else ()


def files(fleet: Fleet, process: Process, *, dry: bool = False) -> tuple[File, ...]:
    """Return the files of a process that is to get a new certificate; none where it speaks no TLS.

    Makes the authority where there is none yet, but for a ``dry`` run. Raises UnreadableError.
    """
    own = process.tls
    if own is None:
        return ()
    given = own.given or _issued(fleet, process, own, dry=dry)
    owner, closed = _owner(fleet), 0o600 if fleet.sandbox else 0o640
    # The key before its certificate: whoever reads both in between finds a pair that does not fit, and keeps the old.
    return (
        File(own.key, given.key.reveal().encode(), "key", owner, closed, process.name),
        File(own.certificate, given.certificate.encode(), "certificate", owner, 0o644, process.name),
        File(own.authorities, given.authorities.encode(), "certificate", owner, 0o644, process.name),
    )


def _issued(fleet: Fleet, process: Process, own: ProcessTls, *, dry: bool) -> Given:
    authority = _authority(fleet, own, dry=dry)
    made = issue(authority.signing, process.id, own.names)
    return Given(made.certificate, made.key, authority.believed)


def _authority(fleet: Fleet, own: ProcessTls, *, dry: bool) -> Authority:
    if not dry:
        return store.ensure(own.authority, fleet.name)
    nobody = found(fleet.name)
    return store.read(own.authority) or Authority(nobody, nobody.certificate, nobody)


def _owner(fleet: Fleet) -> str:
    return "" if fleet.sandbox else installation(fleet.engine).user
