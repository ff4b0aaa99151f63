"""Strict YAML with positions: PyYAML composes, this keeps the raw text of every scalar and where it stood.

Scalars stay text (``yes`` is not True, ``0700`` is not 448): Redis reads its values as text too. Only an empty scalar
becomes None, and a ``!vault`` one ``VaultText``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from redis_fleet.problems import InvalidDescriptionError, Position, Problem

Path = tuple[str | int, ...]
_NULL = "tag:yaml.org,2002:null"
_STANDARD = "tag:yaml.org,2002:"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class VaultText:
    """The text of a ``!vault`` scalar, still encrypted."""

    text: str


@dataclass(frozen=True)
class Document:
    """A YAML file as plain dicts, lists and texts, with the position of every path and the problems met."""

    file: str
    tree: Mapping[str, Any]
    positions: Mapping[Path, Position]
    problems: tuple[Problem, ...] = field(default=())

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
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise InvalidDescriptionError([_syntax_problem(file, error)]) from None
    if not isinstance(node, yaml.MappingNode):
        problem = Problem(Position(file, 1), "", "is not a mapping", "start the file with 'plugin: redis_fleet'")
        raise InvalidDescriptionError([problem])
    reader = _Reader(file)
    tree = reader.value(node, ())
    return Document(file, tree, reader.positions, tuple(reader.problems))


def _syntax_problem(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
    said = [getattr(error, "context", None), getattr(error, "problem", None)]
    what = "is not YAML: " + (", ".join(part for part in said if part) or str(error).splitlines()[0])
    column = f"column {position.column}" if position.column else "this place"
    return Problem(position, "", what, f"look at {column}: indentation, a missing colon or an unclosed quote")


class _Reader:
    """Walks PyYAML's nodes once, collecting positions and problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.positions: dict[Path, Position] = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.positions.setdefault(path, self._position(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _position(self, node: yaml.Node) -> Position:
        return Position(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _scalar(self, node: yaml.Node, path: Path) -> str | VaultText | None:
        if node.tag == "!vault":
            return VaultText(node.value)
        if not node.tag.startswith(_STANDARD):
            self._report(node, path, f"has the unknown tag {node.tag}", "use plain text, or !vault for a secret")
        return None if node.tag == _NULL else str(node.value)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in self._pairs(node):
            key = str(key_node.value)
            if key in result:
                first = self.positions[(*path, key)].line
                self._report(key_node, (*path, key), f"stands here a second time (first in line {first})", "keep one")
                continue
            self.positions[(*path, key)] = self._position(key_node)
            result[key] = self.value(value_node, (*path, key))
        return result

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Yield key and value nodes; what ``<<`` merges in comes last and never overrides."""
        merged: list[yaml.MappingNode] = []
        own: set[str] = set()
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                continue
            own.add(str(key_node.value))
            yield key_node, value_node
        for source in merged:
            for key_node, value_node in self._pairs(source):
                if str(key_node.value) not in own:
                    own.add(str(key_node.value))
                    yield key_node, value_node

    def _report(self, node: yaml.Node, path: Path, what: str, remedy: str) -> None:
        self.problems.append(Problem(self._position(node), dotted(path), what, remedy))
