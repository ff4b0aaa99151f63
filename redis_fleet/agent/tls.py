"""TLS as one who connects speaks it: whom to believe, who one is, and the name that the other's certificate must have.

Servers and Sentinels themselves check the chain alone, never a name (no version calls set1_host); here both are.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Optional

from .codec import Message
from .secret import Secret

if TYPE_CHECKING:  # to import it takes longer than to connect without it
    import ssl

_PEM = "-----BEGIN"
_PATIENCE = 1.0
"""Seconds at most for a handshake: whoever does not speak TLS never answers one."""


@dataclass(frozen=True)
class Tls(Message):
    """How TLS is spoken with a process; each is PEM text, or a path on the machine that connects.

    ``authorities``: the certificates that sign those which are believed (a path may be a folder, as OpenSSL hashes it).
    ``certificate`` with its ``key``, which ``key_password`` opens if there is one, is who one is; empty: nobody. With
    ``pinned`` (PEM) only whoever shows that very certificate is believed, whatever its authority, time and names.
    """

    authorities: str
    certificate: str = ""
    key: Optional[Secret] = None
    key_password: Optional[Secret] = None
    pinned: str = ""


def secured(plain: socket.socket, tls: Tls, name: str) -> socket.socket:
    """Return a connection of TLS in the place of one that is plain; ``name`` must be in the other's certificate.

    Closes it and raises OSError (ssl.SSLError) where the other is not believed, does not believe us, or speaks no TLS.
    """
    patience = plain.gettimeout()
    try:
        plain.settimeout(min(_PATIENCE, patience or _PATIENCE))
        made = _context(tls).wrap_socket(plain, server_hostname=name)
        if tls.pinned and made.getpeercert(binary_form=True) != der(tls.pinned):
            raise ConnectionError("it shows another certificate than the one in its file")
        made.settimeout(patience)
    except BaseException:
        plain.close()
        raise
    return made


@lru_cache(maxsize=16)
def _context(tls: Tls) -> ssl.SSLContext:
    import ssl  # noqa: PLC0415

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.pinned:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if tls.authorities.startswith(_PEM):
        context.load_verify_locations(cadata=tls.authorities)
    elif os.path.isdir(tls.authorities):  # noqa: PTH112 (what waits for the end of a server does without pathlib)
        context.load_verify_locations(capath=tls.authorities)
    else:
        context.load_verify_locations(cafile=tls.authorities)
    if tls.certificate:
        password = tls.key_password.reveal() if tls.key_password else ""
        with _file(tls.certificate) as certificate, _file(tls.key.reveal() if tls.key else "") as key:
            # Never asked for on a terminal.
            context.load_cert_chain(certificate, key or None, lambda: password)
    return context


def der(pem: str) -> bytes:
    """Return the first certificate of a text, whatever its lines are like; raises ValueError where there is none."""
    import ssl  # noqa: PLC0415

    mark = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(pem[pem.index(_PEM) : pem.index(mark) + len(mark)])


@contextmanager
def _file(pem: str) -> Iterator[str]:
    """Give a text a path as long as it is needed, in memory; OpenSSL reads a pair from files alone."""
    if not pem.startswith(_PEM):
        yield pem
        return
    handle = os.memfd_create("pem")
    try:
        os.write(handle, pem.encode())
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)
