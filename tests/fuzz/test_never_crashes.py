"""Whatever stands in a file: ``check`` takes it, or says where it is wrong and what to do; it never falls over."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from hypothesis import given

from redis_fleet.cli.commands.files import check
from tests.fuzz.descriptions import structured
from tests.fuzz.judging import judged
from tests.fuzz.mutations import mutated, rubbish
from tests.fuzz.running import tried

_OPEN_QUOTE = re.compile(r"""[\s\[,:]['"]([\s\],]|$)""", re.MULTILINE)


@pytest.fixture(autouse=True)
def _bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)


@tried(200, 8000)
@given(text=structured())
def test_made_up_descriptions(tmp_path: Path, text: str) -> None:
    # A quote that is not closed may make a password part of some other value.
    judged(tmp_path / "a.redis.yml", text.encode("utf-8", "surrogatepass"), secrets=not _OPEN_QUOTE.search(text))


@tried(200, 8000)
@given(text=mutated())
def test_files_with_changes(tmp_path: Path, text: str) -> None:
    judged(tmp_path / "a.redis.yml", text.encode("utf-8", "surrogatepass"))


@tried(150, 4000)
@given(content=rubbish)
def test_rubbish(tmp_path: Path, content: bytes) -> None:
    judged(tmp_path / "a.redis.yml", content)


@tried(30, 400)
@given(text=structured() | mutated())
def test_the_command_ends_with_0_or_2(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    file = tmp_path / "a.redis.yml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    codes = []
    for as_json in (False, True):
        capsys.readouterr()
        try:
            check([file], as_json=as_json)
            codes.append(0)
        except typer.Exit as ended:
            codes.append(ended.exit_code)

    answer = json.loads(capsys.readouterr().out)
    assert codes in ([0, 0], [2, 2])
    assert answer["ok"] is (codes == [0, 0])
