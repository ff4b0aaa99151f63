"""init: what it writes, and what it refuses."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from redis_fleet.cli.commands.init import Topology
from redis_fleet.cli.main import app
from redis_fleet.description.load import load
from redis_fleet.project import ROOT, SAMPLES

PACKED = (ROOT / ".config" / "hatch_build.py").read_text(encoding="utf-8")


def init(*words: str) -> Result:
    """Run ``redis-fleet init WORDS``."""
    return CliRunner().invoke(app, ["init", *words])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_word_it_writes_a_shop_with_sentinels(folder: Path) -> None:
    done = init()
    assert done.exit_code == 0
    assert [each.name for each in folder.iterdir()] == ["shop.redis.yml"]
    assert done.output.startswith("shop.redis.yml: deployment shop, as in the sample sentinel\nnext:\n")
    assert "  redis-fleet sandbox up shop.redis.yml  #" in done.output


@pytest.mark.parametrize("topology", Topology)
def test_it_passes_the_strict_check(topology: Topology) -> None:
    assert init("--topology", topology, "till.redis.yml").exit_code == 0
    done = CliRunner().invoke(app, ["check", "--strict", "--no-binary", "till.redis.yml"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("topology", Topology)
def test_it_is_the_sample_under_another_name(topology: Topology, folder: Path) -> None:
    init("--topology", topology, "till.redis.yml")
    first, *rest = (folder / "till.redis.yml").read_text(encoding="utf-8").splitlines()
    sample = (SAMPLES / f"{topology}.redis.yml").read_text(encoding="utf-8").splitlines()
    assert first.startswith("# Passwords ")
    (users,) = [line for line in rest if line.startswith("internal-users: yes")]
    rest.remove(users)
    differ = [line for line, other in itertools.zip_longest(rest, sample) if line != other]
    assert differ == ["name: till"]


@pytest.mark.parametrize("topology", Topology)
def test_the_build_packs_its_sample(topology: Topology) -> None:
    assert f'"inventory/{topology}.redis.yml"' in PACKED


@pytest.mark.parametrize("name", ["null", "no", "123", "1.5", "2026-01-01", "a-b_c.d"])
def test_the_name_stays_a_text(name: str, folder: Path) -> None:
    assert init(f"{name}.redis.yml").exit_code == 0
    assert load(str(folder / f"{name}.redis.yml")).deployment.name == name


def test_nothing_is_overwritten(folder: Path) -> None:
    (folder / "shop.redis.yml").write_text("mine\n")
    done = init("--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout) == {"ok": False, "problems": ["shop.redis.yml is there already; name another file"]}
    assert (folder / "shop.redis.yml").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("shop.yml", "shop.yml is no name of a description; let it end with .redis.yml"),
        (".", ". is no name of a description; let it end with .redis.yml"),
        (".redis.yml", "'' is not a usable name; use letters, digits, '-', '_' and '.'"),
        ("a b.redis.yml", "'a b' is not a usable name; use letters, digits, '-', '_' and '.'"),
        ("a\n.redis.yml", "'a\n' is not a usable name; use letters, digits, '-', '_' and '.'"),
        ("missing/a.redis.yml", "missing/a.redis.yml cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_refused(file: str, words: str, folder: Path) -> None:
    done = init(file)
    assert (done.exit_code, done.output) == (2, f"{words}\n")
    assert not list(folder.iterdir())


def test_commands_can_be_copied_into_a_shell(folder: Path) -> None:
    (folder / "my files").mkdir()
    said = json.loads(init("my files/shop.redis.yml", "--json").stdout)
    assert said["next"][0] == "redis-fleet check 'my files/shop.redis.yml'"
    assert said["name"] == "shop"
