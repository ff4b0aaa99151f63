"""Import of small texts, for the unit tests."""

from __future__ import annotations

import re
from pathlib import Path

from redis_fleet.adoption.found import Adopted
from redis_fleet.adoption.loading import environment, usable
from redis_fleet.adoption.paths import look
from redis_fleet.agent.conf.text import parse_file
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Process
from redis_fleet.problems import Problem
from redis_fleet.render.files import configuration


class Import:
    """What came out of importing files: the description, the remarks, and the fleet when it can be loaded."""

    def __init__(self, paths: list[Path], folder: Path, engine: str | None = None, version: str | None = None) -> None:
        survey = look(paths, engine, version)
        self.adopted: Adopted
        self.problems: tuple[Problem, ...]
        self.adopted, self.problems = usable(survey.found, "again")
        self.notes = [*survey.notes, *self.adopted.notes]
        self.text = self.adopted.text
        self._file = folder / "again.redis.yml"
        self._file.write_text(self.text, encoding="utf-8")

    @property
    def fleet(self) -> Fleet:
        """Load the description, its secrets in the environment."""
        with environment(self.adopted.secrets):
            return load_fleet(str(self._file))

    def lines(self, process: Process | None = None) -> dict[str, list[tuple[str, ...]]]:
        """Return the lines of a process's rendered file (of the first one), by name."""
        fleet = self.fleet
        found: dict[str, list[tuple[str, ...]]] = {}
        for line in parse_file(configuration(fleet, process or fleet.processes[0])):
            found.setdefault(line.name, []).append(line.words)
        return found

    def note(self, words: str) -> str:
        """Return the one remark with these words in it."""
        found = [each for each in self.notes if re.search(words, each)]
        assert len(found) == 1, (words, found or self.notes)
        return found[0]


def of_texts(
    folder: Path, texts: dict[str, str], *paths: str, engine: str | None = None, version: str | None = None
) -> Import:
    """Write files below a folder and import them, or those that are named."""
    for name, text in texts.items():
        file = folder / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
    return Import([folder / "in" / each for each in paths or texts], folder, engine, version)


def of_text(folder: Path, text: str, engine: str | None = None, version: str | None = None) -> Import:
    """Import one redis.conf."""
    return of_texts(folder, {"redis.conf": text}, engine=engine, version=version)
