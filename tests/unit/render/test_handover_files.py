"""What a unit hands over with: the one file of code, and what it knows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from redis_fleet.agent.messages.unit_handover import KNOWLEDGE, UnitHandover
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.project import ROOT
from redis_fleet.render import handover
from redis_fleet.render.files import process_files

DESCRIPTION = ROOT / "tests/golden/descriptions/crash-handover.redis.yml"


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    """Return a fleet with one service that hands over, one that does not, and Sentinels."""
    return load_fleet(str(DESCRIPTION))


def test_the_code_has_the_modules_as_they_are() -> None:
    given: dict[str, object] = {"__name__": "bundled", "__file__": "bundled.py"}
    exec(compile(handover.code(), "bundled.py", "exec"), given)
    assert given["SOURCES"] == handover.sources()
    for name, text in handover.sources().items():
        file = ROOT / f"{name.replace('.', '/')}.py"
        assert text == (file.read_text(encoding="utf-8") if name != "redis_fleet.__init__" else ""), name


def test_the_code_runs_alone_and_keeps_what_it_compiled(tmp_path: Path) -> None:
    file = tmp_path / "handover.py"
    file.write_text(handover.code(), encoding="utf-8")
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(file), "sideways"], capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.stderr == "redis-fleet: 'sideways' is none of start, stop, end\n"
    kept = [each for each in tmp_path.iterdir() if each != file]
    assert [each.stat().st_mode & 0o777 for each in kept] == [0o600]
    kept[0].write_bytes(b"nonsense")
    file.write_text(handover.code().replace("is none of", "is not one of"), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(file), "x"], capture_output=True, text=True, check=False)
    assert "is not one of" in done.stderr


def test_who_hands_over_has_it_and_nobody_else(fleet: Fleet) -> None:
    having = [
        each.id for each in fleet.processes if any(file.purpose == "knowledge" for file in process_files(fleet, each))
    ]
    assert having == [f"orders-6379@red{number}" for number in (1, 2, 3)]


def test_what_it_knows_is_read_back_and_shown_without_passwords(fleet: Fleet) -> None:
    process = next(iter(fleet.processes))
    _, knowledge = handover.files(fleet, process)
    assert (knowledge.path, knowledge.mode, knowledge.owner) == (
        f"{handover.folder(process)}/{KNOWLEDGE}",
        0o600,
        "root",
    )
    told = UnitHandover.from_text(knowledge.content.decode())
    assert told.service.password and told.service.password.reveal() == "golden-orders-password"
    assert [each.id for each in told.service.sentinels] == [each.id for each in fleet.sentinels]
    assert "golden" not in handover.knowledge_masked(fleet, process)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"told": {}, "secrets": []}', '{"told": {"x": 1}, "secrets": []}'])
def test_what_is_not_that_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        UnitHandover.from_text(text)
