"""What a certificate says, and whether a server, a Sentinel or a client can be known by it. Pure, but for the clock.

A server itself refuses only files that it cannot read and a key that does not fit; it serves an expired certificate
without a word (measured, 6.0 to 9.1). So all else is judged here, before a host is touched.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from redis_fleet.agent.secret import Secret

SERVER, CLIENT = "serverAuth", "clientAuth"
_USES = {ExtendedKeyUsageOID.SERVER_AUTH: SERVER, ExtendedKeyUsageOID.CLIENT_AUTH: CLIENT}
_LONGEST = 10
"""Certificates between a leaf and its authority, at most."""


@dataclass(frozen=True)
class Leaf:
    """What the first certificate of a PEM text says.

    ``names`` are DNS names and IP addresses that it is good for, ``uses`` SERVER and CLIENT as far as it may be used as
    such; ``serial`` is hexadecimal, as OpenSSL shows it.
    """

    name: str
    issuer: str
    serial: str
    begins: datetime
    ends: datetime
    names: tuple[str, ...]
    uses: frozenset[str]

    def covers(self, place: str) -> bool:
        """Whether it is good for an IP address or a host name."""
        try:
            return str(ipaddress.ip_address(place)) in self.names
        except ValueError:
            wild = "*." + place.partition(".")[2]
            return place.lower() in self.names or wild.lower() in self.names

    def due(self, now: datetime) -> bool:
        """Whether less than a third of its life is left."""
        return self.ends - now < (self.ends - self.begins) / 3


class UnreadableError(ValueError):
    """A text that is not what it should be; the text says why, and holds nothing of it."""


def read(pem: str) -> Leaf:
    """Read a certificate; of several the first one. Raises UnreadableError."""
    first = _certificates(pem)[0]
    return Leaf(
        _common(first.subject),
        _common(first.issuer),
        f"{first.serial_number:X}",
        first.not_valid_before_utc,
        first.not_valid_after_utc,
        tuple(_names(first)),
        frozenset(_uses(first)),
    )


def split(pem: str) -> list[str]:
    """Return the certificates of a text, each by itself, and nothing else that may be in it."""
    end = "-----END CERTIFICATE-----\n"
    parts = pem.replace("\r", "").split(end)[:-1]
    return [part[part.index("-----BEGIN CERTIFICATE-----") :] + end for part in parts]


def unfit(
    pem: str, key: Secret, password: Secret | None, authorities: str, now: datetime, places: Sequence[str]
) -> Iterator[str]:
    """Yield why nobody could be known by a certificate and its key at ``places`` (addresses, names), by AUTHORITIES.

    Each is what is wrong, as the end of a sentence about the certificate. Raises UnreadableError.
    """
    leaf = read(pem)
    if now < leaf.begins:
        yield f"is not valid before {_day(leaf.begins)}"
    if now > leaf.ends:
        yield f"expired on {_day(leaf.ends)}"
    if not _fits(pem, key, password):
        yield "has another key than the described one"
    if not signed(pem, authorities, now):
        yield f"is not signed by the described authority (its issuer is '{leaf.issuer}')"
    if missing := [each for each in places if not leaf.covers(each)]:
        have = ", ".join(leaf.names) or "nothing"
        yield f"is not good for {', '.join(missing)} (it is for {have})"
    if lacking := [each for each in (SERVER, CLIENT) if each not in leaf.uses]:
        yield f"may not be used as {' and '.join(lacking)}"


def signed(pem: str, authorities: str, now: datetime) -> bool:
    """Whether one of these certificates, valid now, has signed another, by way of those that come with it.

    Raises UnreadableError.
    """
    own = _certificates(pem)
    roots = [
        each for each in _certificates(authorities) if each.not_valid_before_utc <= now <= each.not_valid_after_utc
    ]
    at = own[0]
    for below in range(_LONGEST):
        if any(_signs(each, at, below) for each in roots):
            return True
        above = next((each for each in own[1:] if each is not at and _signs(each, at, below)), None)
        if above is None:
            return False
        at = above
    return False


def _signs(issuer: x509.Certificate, certificate: x509.Certificate, below: int) -> bool:
    """Whether one signed another that has so many authorities ``below`` it, and may (RFC 5280, 4.2.1.9)."""
    try:
        certificate.verify_directly_issued_by(issuer)
        allowed = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return allowed.ca and (allowed.path_length is None or allowed.path_length >= below)


def _fits(pem: str, key: Secret, password: Secret | None) -> bool:
    opened = password.reveal().encode() if password else None
    try:
        private = serialization.load_pem_private_key(key.reveal().encode(), opened)
    except TypeError:
        missing = "is encrypted, and no password is described" if password is None else "is not encrypted"
        raise UnreadableError(f"the key {missing}") from None
    except ValueError:
        what = "cannot be opened with the described password" if password else "is no key in PEM"
        raise UnreadableError(f"the key {what}") from None
    own = _certificates(pem)[0].public_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private.public_key().public_bytes(*form) == own.public_bytes(*form)


def _certificates(pem: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise UnreadableError("is no certificate in PEM") from None


def _common(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        all_ = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield from (each.lower() for each in all_.get_values_for_type(x509.DNSName))
    yield from map(str, all_.get_values_for_type(x509.IPAddress))


def _uses(certificate: x509.Certificate) -> Iterable[str]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return (SERVER, CLIENT)
    return [_USES[each] for each in named if each in _USES]


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
