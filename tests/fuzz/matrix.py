"""The matrix of directive and odd value for one engine: what ``check`` says of each. Pure; the same every time.

A value is what YAML says (``Texts``), or the rest of a line as somebody wrote it by hand into a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from redis_fleet.catalogue import check, values
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue.check import DirectiveCheck
from redis_fleet.catalogue.faults import Taken, halves
from redis_fleet.catalogue.multi_word import Lines
from redis_fleet.catalogue.sentinel import SentinelDirective
from redis_fleet.catalogue.table import Directive
from tests.fuzz import binaries, odd
from tests.harness.engines import Binary

MASTER = "orders"
_MATRIX = odd.MATRIX
# Of what stands in a list here, the kinds of values that say something about a type.
_KINDS = {
    "integer": ("numbers", "few words"),
    "memory": ("numbers", "sizes", "few words"),
    "octal": ("numbers", "few words"),
    "bool": ("words", "few numbers"),
    "enum": ("words", "few numbers"),
    "flags": ("words", "few numbers"),
}
_OTHERS = ("words", "few numbers", "texts")


class Cell(NamedTuple):
    """One directive with one value: what ``check`` says, and the lines of the file that would be written."""

    name: str
    texts: odd.Texts
    said: DirectiveCheck
    lines: Lines
    directive: Directive

    @property
    def written(self) -> list[str]:
        """The lines, each as text."""
        return [binaries.line(self.name, words) for words in self.lines]


def server_cells(binary: Binary, directives: Iterable[Directive]) -> Iterator[Cell]:
    """Yield every cell of redis.conf."""
    for directive in directives:
        for texts in odd_values(directive):
            # Where there is no line at all nothing is written.
            if lines := values.lines(directive, texts):
                said = _said(binary, directive, texts)
                yield Cell(directive.name, texts, said, said.lines or lines, directive)


def _said(binary: Binary, directive: Directive, texts: odd.Texts) -> DirectiveCheck:
    if directive.name not in check.OWN_KEYS:
        return check.server(binary.engine, binary.version, directive.name, texts)
    # Its value stands elsewhere in a description: what import says of it.
    lines = values.lines(directive, texts)
    wrong = values.problem(directive, lines)
    what, remedy = halves(wrong or "")
    return DirectiveCheck(directive.name, lines, what=what, remedy=remedy, taken=isinstance(wrong, Taken))


def sentinel_cells(binary: Binary, directives: Iterable[SentinelDirective]) -> Iterator[Cell]:
    """Yield every cell of the ``sentinel`` lines, those of a master with its name."""
    for directive in directives:
        scope = (MASTER,) if directive.scope == "master" else ()
        for texts in odd_values(directive.value):
            said = check.sentinel(binary.engine, binary.version, directive.name, texts)
            lines = said.lines or tuple(map(values.words_of, texts))
            whole = tuple((directive.name, *scope, *words) for words in lines)
            if whole:
                yield Cell("sentinel", texts, said, whole, directive.value)


def odd_values(directive: Directive) -> list[odd.Texts]:
    """Return the values for one directive: by its type, its limits, its default, its choices."""
    found: list[odd.Texts] = [(text,) for kind in _KINDS.get(directive.type, _OTHERS) for text in _MATRIX[kind]]
    found += [tuple(texts) for texts in _MATRIX["by type"].get(directive.type, ())]
    default = directive.default or ""
    found += [(shape.replace("@", default),) for shape in _MATRIX["shapes"]]
    found += [(text,) for text in (default.upper(), default.capitalize())]
    for limit in (*(directive.takes or ()), *(directive.digits or ()), directive.minimum, directive.maximum):
        found += [(str(limit + step),) for step in (-1, 0, 1) if limit is not None]
    for choice in directive.choices if directive.type != "events" else ():
        found += [(choice,), (choice.upper(),), (choice.capitalize(),), (choice[:-1],), (f"{choice} x",)]
    found += [(), (default, default), ("1", "2"), ("yes", "no"), ("x", "y")]
    return list(dict.fromkeys(found))


def is_taken(directive: SentinelDirective) -> bool:
    """Say whether a Sentinel's directive may stand in a description at all."""
    return not directive.state and directive.name not in check.SENTINEL_OWN_KEYS


def sentinel_directives(binary: Binary) -> list[SentinelDirective]:
    """Return what a description's Sentinels may be told."""
    names = sentinel_table.names(binary.engine, binary.version, state=False)
    found = [sentinel_table.find(binary.engine, binary.version, name) for name in names]
    return [each for each in found if each and is_taken(each)]
