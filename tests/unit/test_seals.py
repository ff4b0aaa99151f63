"""Seals: secrets that can be compared and never read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from redis_fleet.agent.host.digest import same, seal
from redis_fleet.agent.inspect.observe import _sealed
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue import table
from redis_fleet.observe.request import sensitive

SECRET = "correct horse"
SENSITIVE = set(sensitive())


def test_a_seal_is_the_same_as_its_text_only() -> None:
    sealed = seal(SECRET)

    assert same(sealed, SECRET)
    assert not same(sealed, "correct horse ")
    assert not same(sealed, "")
    assert not same(sealed, sealed)


def test_no_clear_text_and_each_look_seals_otherwise() -> None:
    program = f"from redis_fleet.agent.host.digest import seal; print(seal({SECRET!r}))"
    looks = {subprocess.check_output([sys.executable, "-c", program], text=True).strip() for _ in range(2)}

    assert len(looks) == 2
    for sealed in (*looks, seal(SECRET)):
        assert SECRET not in sealed
        assert same(sealed, SECRET)
    assert seal(SECRET, "00ff") == seal(SECRET, "00ff") != seal(SECRET)


def test_no_secret_has_no_seal() -> None:
    assert seal("") == ""
    assert same("", "")
    assert not same("", SECRET)


def test_a_value_that_was_never_sealed_is_compared_as_it_is() -> None:
    assert same(SECRET, SECRET)
    assert not same(SECRET, "other")


def test_any_bytes_can_be_sealed() -> None:
    odd = b"\xff\xfe".decode("utf-8", "surrogateescape")

    assert same(seal(odd), odd)


@pytest.mark.parametrize("engine", ["redis", "valkey"])
def test_every_name_of_every_secret_directive_is_sealed(engine: str) -> None:
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
        (("user", "alice", "on", f">{SECRET}", "~*", "+@all"), ["user", "alice"]),
        (("user", "default", "on", f"#{SECRET}", "nopass"), ["user", "default"]),
    ],
)
def test_secrets_of_a_file_are_sealed(line: tuple[str, ...], clear: list[str]) -> None:
    name, *words = line

    sent = [name, *_sealed(name, tuple(words), SENSITIVE)]

    assert SECRET not in " ".join(sent)
    assert sent[: len(clear)] == clear
    assert len(sent) == len(clear) + 1


def test_other_lines_are_sent_as_they_are() -> None:
    assert _sealed("save", ("900", "1"), SENSITIVE) == ["900", "1"]
    assert _sealed("sentinel", ("monitor", "orders", "10.0.0.11", "6379", "2"), SENSITIVE)[1] == "orders"
    assert _sealed("requirepass", (), SENSITIVE) == []
