"""Nothing that a description was placed into holds a password as a text: only as a Secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass

import pytest

from redis_fleet.agent.secret import Secret
from redis_fleet.model import Setting
from tests.unit.cases.builder import fleet_of

SAMPLES = ("sentinel", "shared-machines", "standalone", "replication", "external", "volatile")


def _leaves(value: object) -> Iterator[object]:
    """Yield all that a value holds, through dataclasses and containers."""
    if is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _leaves(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from _leaves(pair)
    elif isinstance(value, (tuple, list, set, frozenset)):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


@pytest.mark.parametrize("name", SAMPLES)
def test_a_placed_fleet_holds_its_passwords_only_as_secrets(name: str) -> None:
    fleet = fleet_of(name)
    given = [each.password for each in fleet.services] + [each.password for each in fleet.processes]
    passwords = {password.reveal() for password in given if password}
    texts = [text for text in _leaves(fleet) if isinstance(text, str)]

    assert passwords
    assert not [text for text in texts if any(password in text for password in passwords)]


def test_a_secret_setting_shows_its_words_to_nobody() -> None:
    setting = Setting("requirepass", (("swordfish",),), secret=True)

    assert "swordfish" not in f"{setting} {setting!r} {asdict(setting)}"
    assert setting.lines == (("swordfish",),)
    assert setting == Setting("requirepass", ((Secret("swordfish"),),), secret=True)
    assert Setting("save", (("60", "1"),)).held == (("60", "1"),)


def test_a_secret_is_one_value_that_neither_changes_nor_becomes_json() -> None:
    secret = Secret("swordfish")

    assert {secret, Secret("swordfish")} == {secret}
    assert secret != "swordfish"
    with pytest.raises(AttributeError):
        secret._value = "other"
    with pytest.raises(TypeError):
        json.dumps(secret)
