"""Strict YAML with positions: PyYAML composes, this keeps the raw text of every scalar and where it stood.

Scalars stay text (``yes`` is not True, ``0700`` is not 448): Redis reads its values as text too. Only an empty scalar
becomes None, and a ``!vault`` one ``VaultText``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

from redis_fleet.problems import InvalidDescriptionError, Position, Problem
from redis_fleet.safe_yaml import LOADER

Path = tuple[str | int, ...]
_NULL = "tag:yaml.org,2002:null"
_STANDARD = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class VaultText:
    """The text of a ``!vault`` scalar, still encrypted."""

    text: str


@dataclass(frozen=True)
class Document:
    """A YAML file as plain dicts, lists and texts, with the position of every path and the problems met.

    ``faulty`` are the paths whose values do not fit and were left out of the deployment: nothing follows from them.
    ``commented`` are the paths of texts without quotes that a comment follows on their line: whether it begins at once,
    with no blank behind its ``#``. ``invisible`` are the paths of texts with a letter, not an escape, that no screen
    shows, and which it is.
    """

    file: str
    tree: Mapping[str, Any]
    positions: Mapping[Path, Position]
    problems: tuple[Problem, ...] = ()
    faulty: frozenset[Path] = frozenset()
    commented: Mapping[Path, bool] = field(default_factory=dict)
    invisible: Mapping[Path, str] = field(default_factory=dict)

    def position(self, path: Path) -> Position:
        """Return where a path stands, or the nearest thing around it that does."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, Position(self.file))


def dotted(path: Path) -> str:
    """Write a path as the messages do: ``services.orders.replicas[1]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def read(file: str, text: str) -> Document:
    """Read one YAML document; raises InvalidDescriptionError where it is not YAML or not a mapping."""
    try:
        _check_depth(file, text)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        raise InvalidDescriptionError([_syntax_problem(file, text, error)]) from None
    if not isinstance(node, yaml.MappingNode):
        problem = Problem(Position(file, 1), "", "is not a mapping", "start the file with 'plugin: redis_fleet'")
        raise InvalidDescriptionError([problem])
    reader = _Reader(file, text)
    tree = reader.value(node, ())
    return Document(
        file,
        tree,
        reader.positions,
        tuple(reader.problems),
        commented=reader.commented,
        invisible=reader.invisible,
    )


# A description has 6 levels. Much deeper ones would end in Python's limit, or in the C stack's.
_DEEPEST = 50
_BEGINNING_OF_LINE = re.compile(r"^[ ?-]+", re.MULTILINE)
_BRACKET = re.compile(r"[\[{\]}]")


def _check_depth(file: str, text: str) -> None:
    """Refuse what is nested too deep for PyYAML's recursion; looks closely only where brackets and blanks say so."""
    depth = deepest = max(map(len, _BEGINNING_OF_LINE.findall(text)), default=0)
    for bracket in _BRACKET.findall(text):
        depth = max(0, depth + (1 if bracket in "[{" else -1))
        deepest = max(deepest, depth)
    if deepest <= _DEEPEST:
        return
    mark = None
    try:
        mark = _too_deep(text, LOADER)
    except yaml.YAMLError:
        # libyaml has a limit of its own, which strikes while it reads ahead: before it has told of any level.
        with suppress(yaml.YAMLError):
            mark = _too_deep(text, yaml.SafeLoader)
    if mark:
        position = Position(file, mark.line + 1, mark.column + 1)
        problem = Problem(position, "", f"is nested more than {_DEEPEST} levels deep", "write it flatter")
        raise InvalidDescriptionError([problem])


def _too_deep(text: str, loader: Any) -> Any:
    """Return the mark of the first node that is nested too deep, if any; raises YAMLError for what is wrong before."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return event.start_mark
    return None


# Where these went wrong is where they begin; what the parser stumbled over comes long after.
_BEGINNINGS = ("quoted scalar", "simple key", "flow sequence", "flow mapping")


# What YAML does not allow, not even in quotes, and where it begins a new line (yaml.org, 1.1: 5.1 and 5.4).
_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def _forbidden_character(file: str, text: str) -> Problem:
    found = _FORBIDDEN.search(text, 1 if text.startswith("\ufeff") else 0)
    before = _BREAK.split(text[: found.start()] if found else "")
    position = Position(file, len(before), len(before[-1]) + 1)
    code = f"U+{ord(found[0]):04X}" if found else "a character"
    remedy = f"take it out at column {position.column}; inside double quotes it can be written with a backslash"
    return Problem(position, "", f"is not YAML: {code} may not stand in a file", remedy)


def _syntax_problem(file: str, text: str, error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.reader.ReaderError):
        return _forbidden_character(file, text)
    context = getattr(error, "context", None) or ""
    marks = [getattr(error, "problem_mark", None), getattr(error, "context_mark", None)]
    if context.endswith(_BEGINNINGS):
        marks.reverse()
    mark = next(filter(None, marks), None)
    position = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
    lines = _BREAK.split(text.rstrip())
    if position.line > len(lines):  # what is missing at the end is missing behind the last line
        position = Position(file, len(lines), len(lines[-1]) + 1)
    line = lines[position.line - 1]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Problem(position, "", "is not YAML: this line is indented with a tab", "indent it with blanks")
    if _UNQUOTED.search(line):
        what = "is not YAML: a text that begins with '{{' needs quotes"
        return Problem(position, "", what, _IN_QUOTES)
    said = ", ".join(filter(None, (context, getattr(error, "problem", None)))) or str(error).splitlines()[0]
    column = f"column {position.column}" if position.column else "this place"
    remedy = f"look at {column}: indentation, a missing colon or an unclosed quote"
    if isinstance(error, yaml.composer.ComposerError):
        alias = "name an anchor above it, or put a text that begins with '*' in quotes"
        remedy = "keep one, each deployment has a file of its own" if "document" in said else alias
    elif line[position.column - 1 : position.column] in ("%", "@", "`"):
        remedy = f"put a text that begins with '{line[position.column - 1]}' in quotes"
    return Problem(position, "", f"is not YAML: {said}", remedy)


_COMMENT = re.compile(r"\s+#(\S?)")
_USUAL_UNPRINTABLE = frozenset("\t\r\n")
_IN_QUOTES = 'put the whole text in quotes: "{{ … }}"'
_ANCHOR = re.compile(r"&([^\s,\[\]{}]+)")
_UNQUOTED = re.compile(r"(?:^|[:,\[-]\s)\s*\{\{")


def _is_template(node: yaml.Node) -> bool:
    """Say whether somebody wrote ``{{ name }}``, which is a mapping with a mapping for its key."""
    if not isinstance(node, yaml.MappingNode) or not node.flow_style or len(node.value) != 1:
        return False
    key = node.value[0][0]
    return isinstance(key, yaml.MappingNode) and bool(key.flow_style)


class _Reader:
    """Walks PyYAML's nodes once, collecting positions and problems on the way."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._lines = _BREAK.split(text)
        self.commented: dict[Path, bool] = {}
        self.invisible: dict[Path, str] = {}
        self.positions: dict[Path, Position] = {}
        self.problems: list[Problem] = []
        self._open: list[yaml.Node] = []

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.positions.setdefault(path, self._position(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if _is_template(node):
            text = self._text[node.start_mark.index : node.end_mark.index]
            self._report(node, path, "begins with '{{' and has no quotes: for YAML that is a mapping", _IN_QUOTES)
            return text
        if any(node is each for each in self._open):
            what, remedy = "contains itself", "write out what this alias stands for"
            self.problems.append(Problem(self.positions[path], dotted(path), what, remedy))
            return {}
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.pop()

    def _position(self, node: yaml.Node) -> Position:
        return Position(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> str | VaultText | None:
        if not node.style and (comment := _COMMENT.match(self._lines[node.end_mark.line], node.end_mark.column)):
            self.commented[path] = bool(comment[1])
        if not node.value.isprintable() and (letter := self._invisible(node)):
            self.invisible[path] = letter
        if (anchor := _ANCHOR.match(self._text, node.start_mark.index)) and f"*{anchor[1]}" not in self._text:
            # Not its name: it may be the beginning of a password.
            remedy = "quote a text that begins with '&'"
            self._report(node, path, "begins with '&': for YAML a name for what follows, and nothing uses it", remedy)
        if node.tag == "!vault":
            return VaultText(node.value)
        if not node.tag.startswith(_STANDARD):
            # Not the tag: it may be the beginning of a password.
            remedy = "quote a text that begins with '!'; for a secret there is !vault"
            self._report(node, path, "has a tag that means nothing here", remedy)
        return None if node.tag == _NULL else str(node.value)

    def _invisible(self, node: yaml.Node) -> str:
        """Return the first letter of a scalar that nobody sees in the file; what an escape stands for is not there."""
        text = self._text[node.start_mark.index : node.end_mark.index]
        return next((each for each in text if not each.isprintable() and each not in _USUAL_UNPRINTABLE), "")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in self._pairs(node, path):
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.value:
                self._report(key_node, path, "has a key that is no text", "write 'name: value'")
                continue
            key = str(key_node.value)
            if key in result:
                first = self.positions[(*path, key)].line
                self._report(key_node, (*path, key), f"stands here a second time (first in line {first})", "keep one")
                continue
            self.positions[(*path, key)] = self._position(key_node)
            result[key] = self.value(value_node, (*path, key))
        return result

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Yield key and value nodes; what ``<<`` merges in comes last and never overrides."""
        merged: list[yaml.Node] = []
        own: set[str] = set()
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                continue
            own.add(str(key_node.value))
            yield key_node, value_node
        for source in merged:
            if not isinstance(source, yaml.MappingNode):
                self._report(source, path, "merges in what is no mapping", "name an anchored mapping: <<: *NAME")
                continue
            for key_node, value_node in self._pairs(source, path):
                if str(key_node.value) not in own:
                    own.add(str(key_node.value))
                    yield key_node, value_node

    def _report(self, node: yaml.Node, path: Path, what: str, remedy: str) -> None:
        self.problems.append(Problem(self._position(node), dotted(path), what, remedy))
