"""Seals: secrets that can be compared and never read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from redis_fleet.agent.host.digest import matches, secret_digest, sha256
from redis_fleet.agent.inspect.observe import without_secrets
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue import table
from redis_fleet.observe.request import sensitive

SECRET = "correct horse"
SENSITIVE = set(sensitive())


def test_a_seal_is_the_same_as_its_text_only() -> None:
    sealed = secret_digest(SECRET)

    assert matches(sealed, SECRET)
    assert not matches(sealed, "correct horse ")
    assert not matches(sealed, "")
    assert not matches(sealed, sealed)


def test_no_clear_text_and_each_look_seals_otherwise() -> None:
    program = f"from redis_fleet.agent.host.digest import secret_digest; print(secret_digest({SECRET!r}))"
    looks = {subprocess.check_output([sys.executable, "-c", program], text=True).strip() for _ in range(2)}

    assert len(looks) == 2
    for sealed in (*looks, secret_digest(SECRET)):
        assert SECRET not in sealed
        assert matches(sealed, SECRET)
    assert secret_digest(SECRET, "00ff") == secret_digest(SECRET, "00ff") != secret_digest(SECRET)


def test_no_secret_has_no_seal() -> None:
    assert secret_digest("") == ""
    assert matches("", "")
    assert not matches("", SECRET)


def test_a_value_that_was_neverwithout_secrets_is_compared_as_it_is() -> None:
    assert matches(SECRET, SECRET)
    assert not matches(SECRET, "other")


def test_any_bytes_can_bewithout_secrets() -> None:
    odd = b"\xff\xfe".decode("utf-8", "surrogateescape")

    assert matches(secret_digest(odd), odd)


@pytest.mark.parametrize("engine", ["redis", "valkey"])
def test_every_name_of_every_secret_directive_iswithout_secrets(engine: str) -> None:
    names = set(sensitive())
    for version in table.versions(engine):
        for directive in table.catalogue(engine, version):
            if directive.sensitive:
                assert {directive.name, directive.alias or directive.name} <= names
        for name in sentinel_table.names(engine, version):
            found = sentinel_table.find(engine, version, name)
            assert found is not None
            assert not found.value.sensitive or name in names
    assert {"requirepass", "masterauth", "auth-pass", "sentinel-pass", "user"} <= names


@pytest.mark.parametrize(
    ("line", "clear"),
    [
        (("requirepass", SECRET), ["requirepass"]),
        (("sentinel", "auth-pass", "orders", SECRET), ["sentinel", "auth-pass", "orders"]),
        (("sentinel", "sentinel-pass", SECRET), ["sentinel", "sentinel-pass"]),
    ],
)
def test_secrets_of_a_file_arewithout_secrets(line: tuple[str, ...], clear: list[str]) -> None:
    name, *words = line

    sent = [name, *without_secrets(name, tuple(words), SENSITIVE)]

    assert SECRET not in " ".join(sent)
    assert sent[: len(clear)] == clear
    assert len(sent) == len(clear) + 1


@pytest.mark.parametrize("sign", [">", "#", "<", "!", ""])
def test_of_a_user_only_passwords_are_digests(sign: str) -> None:
    sent = without_secrets("user", ("alice", "on", f"{sign}{SECRET}", "~*", "+@all", "(~a", "+get)"), SENSITIVE)
    assert SECRET not in " ".join(sent)
    assert (sent[:2], sent[3:]) == (["alice", "on"], ["~*", "+@all", "(~a", "+get)"])


def test_a_password_and_its_hash_are_the_same() -> None:
    clear, hashed = (without_secrets("user", ("alice", word), SENSITIVE) for word in (">x", f"#{sha256(b'x')}"))
    assert clear == hashed


def test_other_lines_are_sent_as_they_are() -> None:
    assert without_secrets("save", ("900", "1"), SENSITIVE) == ["900", "1"]
    assert without_secrets("sentinel", ("monitor", "orders", "10.0.0.11", "6379", "2"), SENSITIVE)[1] == "orders"
    assert without_secrets("requirepass", (), SENSITIVE) == []
