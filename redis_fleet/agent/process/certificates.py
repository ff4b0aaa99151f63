"""A certificate put where a running server has its own, and read by it; what it serves afterwards is the proof."""

from __future__ import annotations

from ..host.put import put
from ..inspect.certificates import look
from ..messages.files import Files
from ..messages.orders import PutCertificate
from ..messages.process import ManagedProcess
from ..protocol.resp import Connection
from ..tls import der
from .passwords import Outcome

_READ_AGAIN = "tls-cert-file"
"""Set to the path that it has: every version from 6.0 on then reads certificate, key and authorities again."""


def put_certificate(process: ManagedProcess, connection: Connection, order: PutCertificate) -> Outcome:
    """Put the files of a server and let it read them; raises ReplyError, RuntimeError where it serves another one."""
    own = process.certificates
    if own is None:
        raise RuntimeError("it speaks no TLS")
    place = process.access.endpoint
    before = look(own, place).served
    written = put(Files(False, files=order.files)).changed
    connection.call("CONFIG", "SET", _READ_AGAIN, own.certificate)
    found = look(own, place)
    if not found.fits or not found.served or der(found.served) != der(found.certificate or ""):
        raise RuntimeError("it does not serve the certificate that it was given; see its log")
    return Outcome(("certificate",) if written or found.served != before else ())
