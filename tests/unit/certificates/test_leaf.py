"""Certificates that nobody could be known by, each made for the purpose; and one that is good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from redis_fleet.agent.secret import Secret
from redis_fleet.certificates.authority import LEAF_LIFE, Pair, found, issue
from redis_fleet.certificates.leaf import CLIENT, SERVER, UnreadableError, read, signed, unfit

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
AUTHORITY = found("red authority", now=NOW)
PLACES = ("10.0.0.5", "red1.example.com", "fd00::5")
GOOD = issue(AUTHORITY, "orders-6379@red1", PLACES, now=NOW)


def wrong(pair: Pair, *, authorities: str = AUTHORITY.certificate, now: datetime = NOW) -> list[str]:
    return list(unfit(pair.certificate, pair.key, None, authorities, now, PLACES))


def test_a_good_one() -> None:
    assert wrong(GOOD) == []
    leaf = read(GOOD.certificate)
    assert (leaf.name, leaf.issuer) == ("orders-6379@red1", "red authority")
    assert leaf.uses == {SERVER, CLIENT}
    assert leaf.covers("RED1.example.com")
    assert leaf.covers("fd00:0::5")


def test_its_time() -> None:
    assert wrong(GOOD, now=NOW - timedelta(minutes=6)) == ["is not valid before 2026-11-28 11:55 UTC", UNSIGNED]
    assert wrong(GOOD, now=NOW + LEAF_LIFE + timedelta(minutes=1)) == ["expired on 2027-11-28 12:00 UTC"]
    leaf = read(GOOD.certificate)
    assert not leaf.due(NOW + LEAF_LIFE * 0.6)
    assert leaf.due(NOW + LEAF_LIFE * 0.7)


UNSIGNED = "is not signed by the described authority (its issuer is 'red authority')"


def test_another_authority_or_key() -> None:
    other = found("red authority", now=NOW)
    assert wrong(GOOD, authorities=other.certificate) == [UNSIGNED]
    assert wrong(GOOD, authorities=other.certificate + AUTHORITY.certificate) == []
    assert wrong(Pair(GOOD.certificate, other.key)) == ["has another key than the described one"]


def test_names_that_are_missing() -> None:
    bare = issue(AUTHORITY, "bare", ("red1.example.com",), now=NOW)
    assert wrong(bare) == ["is not good for 10.0.0.5, fd00::5 (it is for red1.example.com)"]
    wild = issue(AUTHORITY, "wild", ("*.example.com", "10.0.0.5", "fd00::5"), now=NOW)
    assert wrong(wild) == []
    assert not read(wild.certificate).covers("a.red1.example.com")


def _made(name: str, signer: Pair | None, extension: x509.ExtensionType, password: bytes = b"") -> Pair:
    """Return what the product itself never makes; without a ``signer`` one that signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = serialization.load_pem_private_key(signer.key.reveal().encode(), None) if signer else key
    assert isinstance(by, ec.EllipticCurvePrivateKey)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.load_pem_x509_certificate(signer.certificate.encode()).subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + LEAF_LIFE)
        .add_extension(extension, critical=True)
        .sign(by, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    closed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, form, closed)
    return Pair(made.public_bytes(serialization.Encoding.PEM).decode(), Secret(private.decode()))


def test_use_and_password() -> None:
    use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    pair = _made("web", AUTHORITY, use, b"open sesame")
    words = (pair.certificate, pair.key)
    found_ = list(unfit(*words, Secret("open sesame"), AUTHORITY.certificate, NOW, PLACES))
    assert found_ == [
        "is not good for 10.0.0.5, red1.example.com, fd00::5 (it is for nothing)",
        "may not be used as clientAuth",
    ]
    assert read(pair.certificate).serial == "7"
    for password, why in ((None, "the key is encrypted, and no password"), (Secret("else"), "cannot be opened with")):
        with pytest.raises(UnreadableError, match=why):
            list(unfit(*words, password, AUTHORITY.certificate, NOW, PLACES))


def test_what_is_none() -> None:
    with pytest.raises(UnreadableError, match="is no certificate in PEM"):
        read("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(UnreadableError, match="the key is no key in PEM"):
        wrong(Pair(GOOD.certificate, Secret("nothing")))


def test_a_chain() -> None:
    """The authority of a leaf comes with it, and its own is the described one."""
    root = _made("root", None, x509.BasicConstraints(ca=True, path_length=None))
    middle = _made("middle", root, x509.BasicConstraints(ca=True, path_length=0))
    leaf = issue(middle, "deep", PLACES, now=NOW)
    assert not signed(leaf.certificate, root.certificate, NOW)
    assert signed(leaf.certificate + middle.certificate, root.certificate, NOW)


def test_a_chain_that_openssl_refuses() -> None:
    flat = _made("flat", None, x509.BasicConstraints(ca=True, path_length=0))
    middle = _made("middle", flat, x509.BasicConstraints(ca=True, path_length=None))
    leaf = issue(middle, "deep", PLACES, now=NOW)
    assert not signed(leaf.certificate + middle.certificate, flat.certificate, NOW)
    none = _made("none", None, x509.BasicConstraints(ca=False, path_length=None))
    assert not signed(issue(none, "below", PLACES, now=NOW).certificate, none.certificate, NOW)
