"""Which certificate a process has in its files, and which one it serves: they differ until it has read them again."""

from __future__ import annotations

import socket

from ..endpoint import Endpoint
from ..host.files import text_of
from ..messages.certificates import CertificateFacts, CertificateFiles

_TIMEOUT = 1.0


def look(files: CertificateFiles, place: Endpoint) -> CertificateFacts:
    """Return what is in the files, and what is served at a place by whoever listens there. Changes nothing."""
    certificate, authorities = text_of(files.certificate), text_of(files.authorities)
    fits = bool(certificate) and _fits(files)
    return CertificateFacts(certificate, authorities, fits, _served(files if fits else None, place))


def _fits(files: CertificateFiles) -> bool:
    import ssl  # noqa: PLC0415 (who speaks no TLS does not wait for it)

    try:
        _with_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), files)
    except (OSError, ValueError):
        return False
    return True


def _with_pair(context: object, files: CertificateFiles) -> None:
    password = files.key_password.reveal() if files.key_password else ""
    context.load_cert_chain(files.certificate, files.key, lambda: password)  # type: ignore[attr-defined]


def _served(files: CertificateFiles | None, place: Endpoint) -> str:
    """Return the certificate that is shown to whoever connects, whether or not it is any good."""
    import ssl  # noqa: PLC0415

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        if files:
            _with_pair(context, files)
        plain = socket.create_connection((place.address, place.port), timeout=_TIMEOUT)
        with plain, context.wrap_socket(plain) as made:
            shown = made.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return ""
    return ssl.DER_cert_to_PEM_cert(shown) if shown else ""
