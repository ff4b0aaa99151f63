"""Read a configuration file the way the server does: line by line, included files in their place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from redis_fleet.adoption.found import RefusedError, Statement
from redis_fleet.agent.conf.text import LineError, parse_file
from redis_fleet.problems import Position

_ROOT = Path("/")
_WILD = re.compile(r"[*?[]")  # config.c:loadServerConfig calls glob(3) for a name with one of these


@dataclass(frozen=True)
class Reading:
    """A file with everything it includes: its statements, the files included, and what was assumed on the way."""

    statements: tuple[Statement, ...]
    included: frozenset[Path]
    notes: tuple[str, ...]


def read(path: Path, folder: Path | None = None, root: Path = _ROOT, *, patterns: bool = True) -> Reading:
    """Read a file; relative names in it start from ``folder``, the process's working directory, or else the file's own.

    ``root`` is where a machine's ``/`` was copied to: then nothing outside of it is looked at. ``patterns``: the
    version takes a name such as ``conf.d/*.conf`` for all files that it fits; Redis 6 does not. Raises RefusedError
    where the server would not start: unbalanced quotes, an included file that is not there.
    """
    reader = _Reader(path, [folder or Path.cwd(), path.resolve().parent], root, patterns)
    reader.take([path], Position(str(path)))
    return Reading(tuple(reader.statements), frozenset(reader.included), tuple(reader.notes))


def reads_patterns(engine: str, version: str | None) -> bool:
    """Say whether a version takes a name with ``*`` behind ``include`` for files; not before Redis 7.0."""
    return engine != "redis" or not (version or "").startswith("6.")


@dataclass
class _Reader:
    main: Path
    folders: list[Path]
    root: Path
    patterns: bool
    statements: list[Statement] = field(default_factory=list)
    included: set[Path] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    _open: list[Path] = field(default_factory=list)
    _reading: bool = False
    _texts: int = 0

    def take(self, files: list[Path], asked: Position) -> None:
        """Read files as one text, as the server does with all that a pattern finds: the second begins where the first
        ends, in the same line if that has no end."""
        mine = [file.resolve() for file in files]
        again = next((file for file in mine if file in self._open), None)
        if again is not None:
            raise RefusedError(asked, f"includes {again} again, without end; take the line out")
        self._open += mine
        self._reading = True
        self._texts += 1
        self._lines(*_joined(files, asked), self._texts - 1)
        # config.c:reading_config_file is one flag: the end of an included file clears it for the file around, too.
        self._reading = False
        del self._open[len(self._open) - len(mine) :]

    def _lines(self, text: str, places: list[Position], count: int) -> None:
        if "\0" in text:
            # sds.c and fgets: what stands behind it is lost, the end of the line too (measured on all versions).
            what = "has a NUL byte, and the server reads the next line as the rest of this one; take the byte out"
            raise RefusedError(places[text[: text.index("\0")].count("\n")], what)
        try:
            lines = parse_file(text)
        except LineError as error:
            place = places[error.number - 1]
            raise RefusedError(place, f"{error.what}; the server does not start with it") from None
        self._say_what_was_left(text, places)
        for line in lines:
            place = places[line.number - 1]
            if line.name == "include":
                if len(line.words) != 1:
                    raise RefusedError(place, "include takes one file; the server does not start with it")
                self._include(line.words[0], place)
                continue
            self.statements.append(Statement(line.name, line.words, place, not self._reading, count))
            if line.name == "dir" and len(line.words) == 1:
                # The server enters it at once: names in later lines start from there.
                self.folders = [self._named(each, line.words[0]) for each in self.folders]

    def _say_what_was_left(self, text: str, places: list[Position]) -> None:
        """CONFIG REWRITE makes a comment of a line that its version does not know."""
        for raw, place in zip(text.split("\n"), places, strict=True):
            words = raw.split()
            if words[:2] == ["#", "???"] and len(words) > 2:
                what = "is a comment since a CONFIG REWRITE whose version did not know it; left out"
                self.notes.append(f"{place}: {words[2]} {what}")

    def _include(self, name: str, place: Position) -> None:
        wild = bool(_WILD.search(name))
        if wild and not self.patterns:
            what = f"includes {name}, and before redis 7.0 an include names one file"
            raise RefusedError(place, f"{what}; the server does not start with it")
        files, instead = self._find(name)
        if not files and not wild:
            raise RefusedError(place, f"includes {name}, which is not there; the server does not start without it")
        if not files:
            self.notes.append(f"{place}: includes {name}, which is no file today")
        elif instead:
            shown = ", ".join(map(str, files))
            self.notes.append(f"{place}: includes {name}; {shown} was read in its place, as it is not there")
        if files:
            self.notes.append(
                f"{place}: the lines of {name} are part of the description: one file a process is written"
            )
        self.included |= {file.resolve() for file in files}
        self.take(files, place)

    def _named(self, folder: Path, name: str) -> Path:
        return self.root / name.lstrip("/") if name.startswith("/") else folder / name

    def _find(self, name: str) -> tuple[list[Path], bool]:
        """Return the files that a name stands for, and whether they were found elsewhere: beside a copied file."""
        for folder in self.folders:
            exact = _matching(self._named(folder, name))
            if exact:
                return exact, False
        if self.root != _ROOT:
            return [], False
        parts = Path(name).parts
        parts = parts[1:] if Path(name).is_absolute() else parts
        for start in range(len(parts)):
            for around in (self.main.parent, *self.main.resolve().parents):
                found = _matching(around.joinpath(*parts[start:]))
                if found and not any(file.resolve() in self._open for file in found):
                    return found, True
                if start:  # only the whole name may be looked for further up, as in the copy of a tree
                    break
        return [], False


def _matching(path: Path) -> list[Path]:
    if _WILD.search(str(path)):
        # Not Path.glob: like glob(3), this passes over names that begin with a dot.
        return [Path(each) for each in sorted(glob(str(path))) if Path(each).is_file()]  # noqa: PTH207
    return [path] if path.is_file() else []


def _joined(files: list[Path], asked: Position) -> tuple[str, list[Position]]:
    """Return the texts one behind the other, and where each line of that stands."""
    whole = ""
    places: list[Position] = []
    for file in files:
        try:
            # The server reads bytes; so that none is lost, those that are no UTF-8 pass as surrogates.
            text = file.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise RefusedError(asked if len(files) > 1 else Position(str(file)), f"{file}: {error.strerror}") from None
        own = [Position(str(file), number) for number in range(1, text.count("\n") + 2)]
        # A last line without an end goes on with the next file's first line.
        places = places[:-1] + ([places[-1]] if places and not whole.endswith("\n") else own[:1]) + own[1:]
        whole += text
    return whole, places or [asked]
