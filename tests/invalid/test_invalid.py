"""Every NAME.redis.yml here is wrong on purpose; ``redis-fleet check`` must say exactly what is in NAME.expected.

A new bad description: write NAME.redis.yml, run ``REGENERATE_EXPECTED=1 pytest tests/invalid``, and judge every line of
the new NAME.expected as the operator who has to act on it: is it that line of the file, does it say what to do?
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer

from redis_fleet.cli.commands.files import check

HERE = Path(__file__).parent
NAMES = sorted(file.name.removesuffix(".redis.yml") for file in HERE.glob("*.redis.yml"))


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.delenv("SHOP_ORDERS_PASSWORD", raising=False)
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)


@pytest.mark.parametrize("name", NAMES)
def test_check_says_what_is_wrong(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        check([Path(f"{name}.redis.yml")])

    said = capsys.readouterr().out
    expected = HERE / f"{name}.expected"
    if os.environ.get("REGENERATE_EXPECTED"):
        expected.write_text(said, encoding="utf-8")
    assert ended.value.exit_code == 2
    assert said == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_message_points_into_the_file_and_says_what_to_do(name: str) -> None:
    lines = (HERE / f"{name}.redis.yml").read_text(encoding="utf-8").splitlines()
    for message in (HERE / f"{name}.expected").read_text(encoding="utf-8").splitlines():
        file, number, rest = message.split(":", 2)
        assert file == f"{name}.redis.yml"
        assert 1 <= int(number) <= len(lines)
        assert rest.partition("; ")[2]


def test_nothing_is_expected_of_a_description_that_is_gone() -> None:
    assert sorted(file.stem for file in HERE.glob("*.expected")) == NAMES


def test_many_descriptions_are_checked_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        check([Path("no-master.redis.yml"), Path("does-not-exist.redis.yml"), Path("another-plugin.redis.yml")])

    said = capsys.readouterr().out
    for name in ("no-master", "another-plugin"):
        assert (HERE / f"{name}.expected").read_text(encoding="utf-8") in said
    assert "does-not-exist.redis.yml: cannot be read: No such file or directory; name a *.redis.yml file\n" in said


def test_a_file_that_is_no_text_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "binary.redis.yml"
    file.write_bytes(b"plugin: \xff\xfe")

    with pytest.raises(typer.Exit):
        check([file])

    assert capsys.readouterr().out == f"{file}: cannot be read: is not UTF-8 text; name a *.redis.yml file\n"


def test_no_secret_is_in_a_message() -> None:
    said = "".join(file.read_text(encoding="utf-8") for file in HERE.glob("*.expected"))

    assert not [word for word in ("orders-password", "sentinel-password", "hunter", "two words") if word in said]
