"""The tables of docs/ansible.md, from the playbooks themselves: ``python -m redis_fleet.ansible.reference [FOLDER]``.

The comment at the head of a playbook, or of a file of tasks, says for people and for the page: ``Summary`` and
``Changes`` of the playbook, one line each, and a line for each ``Variable`` that it reads and each result that it
``Registers``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis_fleet import safe_yaml
from redis_fleet.ansible.plays import DECLARED, MEANINGS
from redis_fleet.project import PLAYBOOKS

PAGE = "ansible.md"
_IMPORTS = ("import_playbook", "import_tasks", "include_tasks")
_NOTE = re.compile(
    r"# (?P<kind>Summary|Changes|Variable|Registers)(?: (?P<name>\w+))?(?: \((?P<default>.+?)\))?: (?P<text>.+)"
)
_TABLE = re.compile(r"(<!-- (\w+): [^\n]* -->\n).*?(<!-- end of \2 -->)", re.DOTALL)


@dataclass(frozen=True)
class Note:
    """A line of a head comment: ``Variable redis_fleet_to (chosen): the machine of the next master``."""

    kind: str
    name: str
    default: str
    text: str


def notes(text: str) -> tuple[Note, ...]:
    """Return the notes of a file's text, in their order."""
    found = map(_NOTE.fullmatch, text.splitlines())
    return tuple(Note(*(each[part] or "" for part in ("kind", "name", "default", "text"))) for each in found if each)


def summaries(folder: Path = PLAYBOOKS) -> str:
    """Return the table of the playbooks; raises ValueError for one that does not say both things of itself."""
    rows = []
    for file in _playbooks(folder):
        told = {each.kind: each.text for each in notes(_read(file))}
        if not told.keys() >= {"Summary", "Changes"}:
            raise ValueError(f"{file.name}: its head says no Summary or no Changes")
        rows.append((f"`{file.name}`", told["Summary"], told["Changes"]))
    return _table(("playbook", "what it does", "changes something"), rows)


def variables(folder: Path = PLAYBOOKS) -> str:
    """Return the table of the variables, each with the playbooks that read it."""
    noted = _noted("Variable", folder)
    rows = [(f"`{note.name}`", ", ".join(users), note.default, note.text) for note, users in noted.items()]
    return _table(("variable", "playbooks", "default", "meaning"), rows)


def registered(folder: Path = PLAYBOOKS) -> str:
    """Return the table of what is registered, each with the playbooks that do."""
    noted = _noted("Registers", folder)
    rows = [(f"`{note.name}`", ", ".join(users), note.text) for note, users in noted.items()]
    return _table(("result", "playbooks", "what it is"), rows)


def groups() -> str:
    """Return the table of the groups."""
    return _table(("group", "machines"), [(f"`{each}`", MEANINGS[each]) for each in DECLARED])


def filled(page: str) -> str:
    """Return a page with its tables written anew, each between two comments that name it."""
    tables = {"playbooks": summaries(), "variables": variables(), "groups": groups(), "registered": registered()}
    return _TABLE.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n\n{found[3]}", page)


def main() -> None:
    """Write the tables into the page in a folder, docs/ where none is given."""
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "docs") / PAGE
    file.write_text(filled(_read(file)), encoding="utf-8")


def _noted(kind: str, folder: Path) -> dict[Note, list[str]]:
    """Return the notes of a kind, and the playbooks that each of them holds for."""
    found: dict[Note, list[str]] = {}
    for playbook in _playbooks(folder):
        for note in dict.fromkeys(_reached(playbook)):
            if note.kind == kind:
                found.setdefault(note, []).append(playbook.stem)
    return found


def _reached(file: Path, above: tuple[Path, ...] = ()) -> Iterator[Note]:
    """Yield the notes of a file, and of what it imports but for the variables that it gives to that."""
    text = _read(file)
    yield from notes(text)
    for name, given in _imported(safe_yaml.read(text)):
        other = file.parent / name
        if other not in (*above, file):
            yield from (note for note in _reached(other, (*above, file)) if note.name not in given)


def _imported(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each file that a part of a playbook imports, and the variables that it gives to it."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key.rpartition(".")[2] in _IMPORTS:
                yield value, part.get("vars", {})
            yield from _imported(value)
    for each in part if isinstance(part, list) else ():
        yield from _imported(each)


def _playbooks(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yml"))


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [" | ".join(row) for row in (head, *rows)]
    return "\n".join([f"| {lines[0]} |", "|---" * len(head) + "|", *(f"| {line} |" for line in lines[1:])])


if __name__ == "__main__":
    main()
