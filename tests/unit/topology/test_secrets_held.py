"""What a description is made into holds its passwords as Secrets, never as texts."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from redis_fleet.agent.secret import Secret
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Setting
from redis_fleet.project import ROOT
from tests.unit.cases.secrets import in_clear, passwords_of

DESCRIPTIONS = sorted(
    file for folder in ("inventory", "tests/golden/descriptions") for file in (ROOT / folder).glob("*.redis.yml")
)
HIDDEN = "Hidden-Below-Config"


@pytest.fixture(params=DESCRIPTIONS, ids=lambda file: file.name)
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Fleet:
    """Place a description whose secrets all have a text of their own, one of them below ``config``."""
    file = Path(shutil.copy(request.param, tmp_path))
    (tmp_path / ".secrets").mkdir()
    for name in ("orders", "sentinel", "payments", "sessions", "cache"):
        (tmp_path / ".secrets" / name).write_text(f"golden-{name}-password\n", encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    changed = text.replace("    config:", f"    config:\n      tls-key-file-pass: {HIDDEN}", 1)
    file.write_text(changed if "\n    config:\n" in text else text, encoding="utf-8")
    return load_fleet(str(file))


def test_a_placed_fleet_holds_its_passwords_only_as_secrets(fleet: Fleet) -> None:
    held = [setting for process in fleet.processes for setting in process.settings if setting.secret]

    assert in_clear(fleet, {*passwords_of(fleet), HIDDEN}) == []
    assert not [each for each in held if "golden-" in f"{each!r} {each} {asdict(each)}"]
    assert not [each for each in held if HIDDEN in f"{each!r} {each} {asdict(each)}"]


def test_a_secret_setting_shows_its_words_to_nobody() -> None:
    setting = Setting("requirepass", (("swordfish",),), secret=True)

    assert "swordfish" not in f"{setting} {setting!r} {asdict(setting)}"
    with pytest.raises(TypeError, match="'requirepass' is a secret"):
        _ = setting.lines
    with pytest.raises(TypeError):
        _ = setting.word
    assert setting.reveal() == (("swordfish",),)
    assert setting == Setting("requirepass", ((Secret("swordfish"),),), secret=True)
    assert Setting("save", (("60", "1"),)).held == (("60", "1"),)


def test_the_name_before_a_secret_is_none() -> None:
    user = Setting("user", (("app", "on", ">swordfish"), ("web",)), secret=True)

    assert user.names == ("app", "web")
    assert user.held[0] == ("app", Secret("on"), Secret(">swordfish"))
    assert Setting("sentinel auth-pass", (("orders", "swordfish"),), secret=True).names == ("orders",)


@pytest.mark.parametrize("words", [(), ("",)])
def test_a_secret_of_no_word_is_empty(words: tuple[str, ...]) -> None:
    assert Setting("masteruser", (words,), secret=True).empty
    assert not Setting("masteruser", (("app",),), secret=True).empty


def test_a_secret_is_one_value_that_neither_changes_nor_becomes_json() -> None:
    secret = Secret("swordfish")

    assert {secret, Secret("swordfish")} == {secret}
    assert secret != "swordfish"
    with pytest.raises(AttributeError):
        secret._value = "other"
    with pytest.raises(TypeError):
        json.dumps(secret)
