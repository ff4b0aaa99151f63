"""What must hold of everything that ``check`` says, and of every file that it takes."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

from redis_fleet.agent.conf.text import parse_file
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError, Problem
from redis_fleet.render.files import configuration, machine_files
from tests.fuzz.descriptions import MARK

_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # where YAML begins a new line


def judged(file: Path, content: bytes, *, secrets: bool = False) -> Fleet | None:
    """Write a file and load it: a fleet that can be rendered, or nothing and problems that help.

    With ``secrets`` the passwords in it are marked, and no problem may show one.
    """
    file.write_bytes(content)
    last = len(_BREAKS.split(content.decode("utf-8", "replace")))
    try:
        fleet = load_fleet(str(file))
    except InvalidDescriptionError as error:
        assert error.problems
        for problem in error.problems:
            _check_problem(problem, file, last, secrets=secrets)
        return None
    for problem in fleet.warnings:
        _check_problem(problem, file, last, secrets=secrets)
    check_rendering(fleet)
    return fleet


def _check_problem(problem: Problem, file: Path, last: int, *, secrets: bool) -> None:
    said = str(problem)
    assert problem.position.file == str(file), said
    whole = problem.what.startswith("cannot be read")
    assert (problem.position.line == 0) if whole else (1 <= problem.position.line <= last), said
    assert problem.what.strip() and problem.remedy.strip(), said
    assert not [letter for letter in said if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs")], repr(said)
    assert "Traceback" not in said and "redis_fleet." not in said.replace("redis_fleet.yml", ""), said
    assert not secrets or MARK not in said, said


def check_rendering(fleet: Fleet) -> None:
    """Render everything, and read every configuration back."""
    for machine in fleet.machines:
        assert list(machine_files(fleet, machine))
    for process in fleet.processes:
        text = configuration(fleet, process)
        configuration(fleet, process, masked=True)
        read = Counter((line.name, *line.words) for line in parse_file(text))
        meant = Counter(
            (*setting.name.split(" "), *words) for setting in process.settings for words in setting.reveal() or (("",),)
        )
        assert read == meant, process.id
