"""The corner files: nothing of them is dropped in silence, no secret shows, and what a server refuses is refused."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from redis_fleet.adoption import reading
from redis_fleet.adoption.found import RefusedError, Statement
from redis_fleet.adoption.knowledge import Knowledge, taken_apart
from redis_fleet.adoption.paths import look
from redis_fleet.catalogue import values
from redis_fleet.catalogue.multi_word import flat
from redis_fleet.cli.main import app
from redis_fleet.model import Words
from tests.harness.live.importing import CORNERS, Corner, copied, corners
from tests.unit.adoption.adopting import Import

SERVERS = corners("*.conf", "*/redis.conf")
SENTINELS = corners("sentinel/*.conf")
REFUSED = corners("refused/*.conf")


def version_of(corner: Corner) -> str | None:
    told = corner.tags.get("version")
    return "7.0.15" if told == "told" else told


@pytest.mark.parametrize("corner", SERVERS + SENTINELS, ids=str)
def test_every_line_is_carried_or_told(corner: Corner, tmp_path: Path) -> None:
    file = copied(corner, tmp_path / "in")
    got = Import([file], tmp_path, corner.tags.get("engine"), version_of(corner))
    assert got.problems == ()
    process = got.fleet.processes[-1]
    knowledge = Knowledge(got.fleet.engine, version_of(corner))
    lines = got.lines(process)
    silent = [
        each
        for each in reading.read(file).statements
        if not told(each, got.notes) and not carried(each, lines, knowledge)
    ]
    assert silent == []


def told(statement: Statement, notes: list[str]) -> bool:
    """Say whether a remark names the line."""
    place = statement.position
    if any(each.startswith(f"{place}:") for each in notes):
        return True
    return any(
        each.startswith(f"{place.file}:") and re.search(rf"\(line (\d+, )*{place.line}\b", each) for each in notes
    )


def carried(statement: Statement, lines: dict[str, list[Words]], knowledge: Knowledge) -> bool:
    """Say whether a line of the rendered file means the same."""
    if statement.name == "sentinel":
        return any(same_words(statement.words, each) for each in lines.get("sentinel", []))
    directive = knowledge.directive(statement.name)
    names = {statement.name, directive.name, directive.alias, "masterauth" if directive.name == "primaryauth" else ""}
    rendered = [words for name in names if name for words in lines.get(name, [])]
    words = taken_apart(directive, statement.words)
    if directive.type == "save":
        pairs = flat((words,))
        every = list(zip(*[iter(flat(tuple(rendered)))] * 2, strict=True))
        # What 'save ""' takes away is told at the lines that it takes away.
        return all(pair in every for pair in zip(pairs[::2], pairs[1::2], strict=True))
    if directive.type == "user":
        return any(hashed(words) == hashed(each) for each in rendered)
    if directive.type == "client-buffers" and rendered:
        together = values.canonical(directive, tuple(rendered))
        return values.canonical(directive, (*rendered, words)) == together
    if not rendered:
        # No line means the same as one that says what is so without it.
        return values.canonical(directive, (words,)) in (("",), "", ())
    return any(values.canonical(directive, (words,)) == values.canonical(directive, (each,)) for each in rendered)


def same_words(one: Words, other: Words) -> bool:
    return (one[0].lower(), *one[1:]) == (other[0].lower(), *other[1:])


def hashed(words: Words) -> Words:
    signs = {">": "#", "<": "!"}
    return tuple(
        signs[word[0]] + hashlib.sha256(word[1:].encode()).hexdigest() if word[:1] in signs else word for word in words
    )


def secrets(corner: Corner) -> Iterator[str]:
    """Yield everything in a file that nobody else may see."""
    for each in look([corner.path]).found[0].statements:
        words = each.words
        sensitive = each.name in ("requirepass", "masterauth", "primaryauth")
        if sensitive or each.name.endswith("-key-file-pass"):
            yield from (word for word in words if word)
        elif each.name == "user":
            yield from (word[1:] for word in words[1:] if word[:1] in "><#!" and word[1:])
        elif each.name == "sentinel" and words[0] in ("auth-pass", "sentinel-pass"):
            yield words[-1]


WITH_SECRETS = [each for each in SERVERS + SENTINELS if any(True for _ in secrets(each))]


@pytest.mark.parametrize("way", ["environment", "vault", "json"])
@pytest.mark.parametrize("corner", WITH_SECRETS, ids=str)
def test_no_secret_shows(corner: Corner, way: str, tmp_path: Path) -> None:
    password = tmp_path / "vault-password"
    password.write_text("Vault-Word-0\n")
    options = {"vault": ["--vault-password-file", str(password)], "json": ["--json"], "environment": []}[way]
    version = version_of(corner)
    options += ["--engine-version", version] if version else []
    done = CliRunner().invoke(app, ["import", str(corner.path), *options])
    assert done.exit_code == 0, done.output
    for secret in secrets(corner):
        for shown in (done.stdout, done.stderr):
            assert secret not in shown
            assert json.dumps(secret)[1:-1] not in shown
    # A vault holds UTF-8 only.
    vaults = way == "vault" and str(corner) != "not-utf-8"
    assert ("!vault" in done.stdout, "lookup(" in done.stdout) == (vaults, not vaults)
    if way == "json":
        assert json.loads(done.stdout)["environment"]


def test_a_vaulted_description_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password = tmp_path / "vault-password"
    password.write_text("Vault-Word-0\n")
    file = tmp_path / "out.redis.yml"
    corner = CORNERS / "users.conf"
    done = CliRunner().invoke(app, ["import", str(corner), "-o", str(file), "--vault-password-file", str(password)])
    assert done.exit_code == 0, done.output
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(password))
    plain = Import([corner], tmp_path)
    plain._file = file
    vaulted = plain.lines()
    assert vaulted["requirepass"] == [("Users-Main-1",)]
    assert vaulted["user"][0] == ("alice", "on", ">Alice-Secret-2", "~app:*", "+@read", "-@dangerous")
    assert vaulted["user"][3][0] == "odd.name"


@pytest.mark.parametrize("corner", REFUSED, ids=str)
def test_what_a_server_refuses_is_refused_with_its_line(corner: Corner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CORNERS)
    done = CliRunner().invoke(app, ["import", str(corner.path.relative_to(CORNERS))])
    assert done.exit_code == 2
    assert done.stderr.startswith(corner.tags["says"])
    assert done.stdout == ""


def test_secrets_of_lines_that_are_refused_do_not_show(tmp_path: Path) -> None:
    for text in (
        "requirepass Some-Secret-1 Other-Secret-1\n",
        'requirepass "Some-Secret-1\n',
        "masterauth Some-Secret-1 x\n",
        "user bob on >Some-Secret-1\nuser bob off\n",
        "sentinel monitor a 127.0.0.1 1 1\nsentinel auth-pass a Some-Secret-1 x\n",
        "sentinel auth-pass a Some-Secret-1\n",
        "user\n",
    ):
        file = tmp_path / "redis.conf"
        file.write_text(text)
        done = CliRunner().invoke(app, ["import", str(file)])
        assert done.exit_code == 2, (text, done.output)
        assert "Secret-1" not in done.output + done.stderr


def test_a_cycle_of_includes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("include b.conf\n")
    (tmp_path / "b.conf").write_text("timeout 1\ninclude a.conf\n")
    with pytest.raises(RefusedError, match=r"b\.conf:2: includes .*a\.conf again"):
        reading.read(tmp_path / "a.conf", tmp_path)


def test_a_file_is_not_overwritten_unless_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.redis.yml"
    file.write_text("mine\n")
    words = ["import", str(CORNERS / "save-lines.conf"), "-o", str(file)]
    assert CliRunner().invoke(app, words).exit_code == 2
    assert file.read_text() == "mine\n"
    assert CliRunner().invoke(app, [*words, "--force"]).exit_code == 0
    assert "save: [900 1, 300 10, 60 10000, 60 10000]" in file.read_text()
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "no name"], "is not a usable name"),
        (["--engine", "keydb"], "is not an engine"),
        (["-o", "/nowhere/at/all.yml"], "cannot be written"),
        (["--engine-version", "latest"], "is not a version"),
        (["/nowhere/redis.conf"], "is not there"),
        (["--vault-password-file", "/nowhere/word"], "vault password file"),
    ],
)
def test_usage_is_refused_in_words(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["import", str(CORNERS / "save-lines.conf"), *words])
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert done.stdout == ""
