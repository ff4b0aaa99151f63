"""Save points: how the lines of a file add up, which three generations of the engine do in three ways.

``save ""`` starts anew everywhere. Measured on 6.0, 6.2, 7.0, 8.0 and Valkey 8 with lines before, in and behind an
included file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from redis_fleet.adoption.found import Refusals, RefusedError, Statement
from redis_fleet.adoption.knowledge import Knowledge
from redis_fleet.adoption.notes import Notes, at
from redis_fleet.adoption.texts import Value, of_words, plain
from redis_fleet.catalogue import multi_word

_Points = list[tuple[str, Statement]]
# Whether a line starts anew, given all lines and its place among them.
_Rule = Callable[[Sequence[Statement], int], bool]


def _never(_: Sequence[Statement], __: int) -> bool:
    return False


def _first_of_its_text(statements: Sequence[Statement], index: int) -> bool:
    return all(each.text != statements[index].text for each in statements[:index])


def _after_include(statements: Sequence[Statement], index: int) -> bool:
    return statements[index].after_include


_RULES: Mapping[str, _Rule] = {"6.0": _never, "6.2": _first_of_its_text, "7.0": _after_include}


def save(name: str, key: str, statements: Sequence[Statement], knowledge: Knowledge, notes: Notes) -> Value:
    """Return the save points in force; those that are not, and what other versions make of the lines, are told."""
    old = next((each for each in ("6.0", "6.2") if (knowledge.version or "").startswith(each)), "")
    refusals = Refusals()
    if old:
        statements = [_with_numbers(each, notes) for each in statements]
    for each in statements:
        with refusals.gathering():
            _check(each, knowledge, notes, old=bool(old))
    refusals.end()
    points = _points(_read(statements) if old else statements, _RULES.get(old, _after_include), notes)
    form = tuple(point for point, _ in points)
    if old and not form and any(_skipped(each) for each in statements):
        notes.add(statements[-1], "so there is no save point at all, and none is described: nothing is saved")
    if knowledge.version is None and knowledge.engine == "redis":
        for version, rule in _RULES.items():
            lines = _read(statements) if version.startswith("6") else statements
            other = tuple(point for point, _ in _points(lines, rule, Notes()))
            if other != form:
                text = f"redis {version} makes 'save {' '.join(other) or chr(34) * 2}' of these lines, 7.0 and later"
                notes.add(statements[-1], f"{text} '{' '.join(form)}'; the latter is described (see --engine-version)")
    return Value(name, key, plain(*form), form, statements[-1].position)


def _skipped(statement: Statement) -> bool:
    """Say whether Redis 6 passes over a line: one that is neither seconds and changes nor ``save ""``."""
    return len(statement.words) != 2 and statement.words != ("",)


def _read(statements: Sequence[Statement]) -> list[Statement]:
    """Return the lines as Redis 6 reads them; one that is skipped still takes away the save points of no line."""
    return [replace(each, words=()) if _skipped(each) else each for each in statements]


def _with_numbers(statement: Statement, notes: Notes) -> Statement:
    """Return a line of two words as Redis 6 reads them, with atoi: no further than there are digits."""
    if len(statement.words) != 2:
        return statement
    found = (re.match(r"\s*([+-]?[0-9]+)", word) for word in statement.words)
    words = tuple(str(int(match[1])) if match else "0" for match in found)
    if words != statement.words:
        notes.add(statement, f"save {of_words(statement.words)} is {' '.join(words)} for redis 6; described as that")
    return replace(statement, words=words)


def _check(statement: Statement, knowledge: Knowledge, notes: Notes, *, old: bool) -> None:
    if old and _skipped(statement):
        what = f"redis {knowledge.version} passes over a save line that is not seconds and changes alone"
        notes.add(statement, f"{what}; left out")
        return
    words = multi_word.flat((statement.words,))
    try:
        knowledge.check(statement, (words or ("",),))
    except RefusedError as error:
        if not _skipped(statement) or knowledge.version or knowledge.engine != "redis":
            raise
        what = f"{error.what}; redis 6 alone does, and passes over it (see --engine-version)"
        raise RefusedError(error.position, what) from None


def _points(statements: Sequence[Statement], rule: _Rule, notes: Notes) -> _Points:
    points: _Points = []
    for index, each in enumerate(statements):
        words = multi_word.flat((each.words,))
        # 'save' alone adds nothing and takes nothing away (measured on 7.0 to 9.1).
        emptied = each.words == ("",)
        if emptied or rule(statements, index):
            why = "empties the list" if emptied else "starts anew"
            for point, earlier in points:
                notes.add(earlier, f"save {point} has no effect: {at(each, earlier)} {why}; left out")
            points = []
        pairs = zip(words[::2], words[1::2], strict=True)
        points += [(f"{int(seconds)} {int(changes)}", each) for seconds, changes in pairs]
    return points
