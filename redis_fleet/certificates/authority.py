"""An authority of one's own: a key and a certificate that signs those of servers, Sentinels and clients.

EC P-256, which every OpenSSL from 1.1 on takes. All times are UTC; a certificate begins a few minutes in the past, as
the clocks of machines differ.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from redis_fleet.agent.secret import Secret

LIFE, LEAF_LIFE = timedelta(days=3650), timedelta(days=365)
_BACK = timedelta(minutes=5)


@dataclass(frozen=True)
class Pair:
    """A certificate (PEM) and its key (PEM, PKCS #8, not encrypted)."""

    certificate: str
    key: Secret = field(repr=False)


def found(name: str, *, now: datetime | None = None) -> Pair:
    """Make an authority of that name, for LIFE."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, name, key.public_key(), now or datetime.now(UTC), LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    return _pair(builder.add_extension(_identifier(key.public_key()), critical=False).sign(key, hashes.SHA256()), key)


def issue(
    authority: Pair,
    name: str,
    places: Iterable[str],
    *,
    life: timedelta = LEAF_LIFE,
    now: datetime | None = None,
) -> Pair:
    """Return a new key and its certificate, for a server and a client at once: a replica is a client of its master.

    ``places`` are IP addresses and host names that it is good for.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    signer = serialization.load_pem_private_key(authority.key.reveal().encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    builder = _builder(name, issuer.subject, key.public_key(), now or datetime.now(UTC), life)
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    alternative = x509.SubjectAlternativeName([_general_name(each) for each in dict.fromkeys(places)])
    made = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(alternative, critical=False)
        .add_extension(_identifier(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _pair(made, key)


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(certificate.public_bytes(Encoding.PEM).decode(), Secret(private.decode()))


def _builder(
    name: str, issuer: str | x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer) if isinstance(issuer, str) else issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACK)
        .not_valid_after(now + life)
    )


def _name(name: str) -> x509.Name:
    # RFC 5280 has no more room for it.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _identifier(key: ec.EllipticCurvePublicKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(place: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(place))
    except ValueError:
        return x509.DNSName(place)
