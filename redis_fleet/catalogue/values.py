"""What a directive's value may be, and when two spellings of it mean the same. Pure.

A value is the lines of a file, each the words behind the name. What each type accepts and how CONFIG GET prints it was
tried on redis 7.0.15 and valkey 9.1.2. Adding a type is a row of ``TYPES``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from redis_fleet.agent.conf.text import split
from redis_fleet.catalogue import multi_word, one_word
from redis_fleet.catalogue.faults import Fault, Taken
from redis_fleet.catalogue.multi_word import Canonical, Lines
from redis_fleet.catalogue.table import Directive
from redis_fleet.catalogue.text_formats import FORMS

__all__ = ["TYPES", "Canonical", "Lines", "canonical", "config_text", "lines", "problem"]


class Type(NamedTuple):
    """How to check a value and how to bring it into one form; both are given the directive and all lines."""

    problem: Callable[[Directive, Lines], str | None]
    canonical: Callable[[Directive, Lines], Canonical]


def lines(directive: Directive, values: Sequence[str]) -> Lines:
    """Turn what YAML says (the text of a scalar, or of each item of a list) into the lines of a configuration file.

    ``save: [900 1, 300 10]``, ``bind: [a, b]``, ``tls-protocols: TLSv1.2 TLSv1.3`` and ``save: []`` become what that
    version reads: words are split only where the directive takes several, the words of a list make one line unless
    lines add up, and an empty list is the empty value. A scalar with unbalanced quotes stays one word.
    """
    if not directive.many_words:
        return tuple((value,) for value in values) or (("",),)
    split_values = tuple(words_of(value) for value in values)
    if directive.type == "save":
        return _save_lines(directive, split_values)
    if directive.type == "client-buffers" and multi_word.old(directive):
        return tuple(words[i : i + 4] for words in split_values for i in range(0, len(words), 4))
    if directive.repeatable:
        return split_values
    together = tuple(word for words in split_values for word in words)
    return ((together or ("",)),) if directive.type != "master" or together else ()


def problem(directive: Directive, lines: Lines) -> str | None:
    """Say what is wrong with a value, without naming the directive; None when it is fine.

    A sensitive value is never shown.
    """
    if directive.set_only:
        return Fault("may not stand in a file of this version", "only CONFIG SET takes it")
    if any("\0" in word for words in lines for word in words):
        return _cut_off(directive, lines)
    if len(lines) > 1 and not directive.repeatable:
        wrong = next(filter(None, (problem(directive, (words,)) for words in lines)), None)
        return wrong or Taken(f"takes one value, not {len(lines)}: the server reads the last one alone", "keep one")
    if not directive.many_words and any(len(words) != 1 for words in lines):
        return "takes one value" + (", not a list of words" if all(lines) else "")
    return TYPES[directive.type].problem(directive, lines)


def _cut_off(directive: Directive, lines: Lines) -> str:
    """Say that there is a NUL character; all but whole numbers are read up to there."""
    what, remedy = "has a NUL character in it, where the server stops reading", "take it out"
    read = tuple(tuple(word.partition("\0")[0] for word in words) for words in lines)
    wrong = problem(directive, read)
    whole = directive.type == "integer" and not directive.digits
    return Fault(what, remedy) if whole or (wrong and not isinstance(wrong, Taken)) else Taken(what, remedy)


def in_words(directive: Directive, text: str) -> str:
    """Return what CONFIG GET answers in the words of a file: sizes with a unit, all else as it is."""
    return one_word.size_in_words(int(text)) if directive.type == "memory" and text.isdecimal() else text


@lru_cache(maxsize=65536)
def canonical(directive: Directive, value: Lines | str) -> Canonical:
    """Return the one form of a value, given as lines or as the text CONFIG GET answers; equal forms mean the same.

    A tuple for directives of several words, a str for the others. A value that has a problem is returned as written.
    """
    given = _lines_of_text(directive, value) if isinstance(value, str) else value
    if problem(directive, given) is None:
        return TYPES[directive.type].canonical(directive, given)
    return multi_word.as_written(directive, given)


def config_text(directive: Directive, lines: Lines) -> str:
    """Return the text that CONFIG SET takes to make a running server mean those lines and nothing else.

    It is complete: CONFIG SET leaves a class of client-output-buffer-limit that it is not told about as it is.
    """
    form = canonical(directive, lines)
    return form if isinstance(form, str) else " ".join(form)


def words_of(value: str) -> tuple[str, ...]:
    """Split a scalar into words as the server would; one with unbalanced quotes stays whole."""
    try:
        return split(value)
    except ValueError:
        return (value,)


def _save_lines(directive: Directive, values: Lines) -> Lines:
    """One line, the only form that survives every rewrite; before 7.0 the server reads one pair a line."""
    together = multi_word.flat(values)
    if not together:
        return (("",),)
    return tuple(together[i : i + 2] for i in range(0, len(together), 2)) if multi_word.old(directive) else (together,)


def _lines_of_text(directive: Directive, text: str) -> Lines:
    if not directive.many_words:
        return ((text,),)
    words = tuple(text.split())
    return _save_lines(directive, (words,)) if directive.type == "save" else (words or ("",),)


def _simple(check: Callable[[Directive, str], str | None], form: Callable[[Directive, str], str]) -> Type:
    """Make a type of functions of one word; no line at all stands for the empty word."""
    return Type(
        lambda directive, lines: check(directive, lines[0][0] if lines else ""),
        lambda directive, lines: form(directive, lines[0][0] if lines else ""),
    )


def _text_problem(directive: Directive, word: str) -> str | None:
    wrong = FORMS[directive.form](word)
    return "is not of the right form" if wrong and directive.sensitive else wrong


def _same(_: Directive, word: str) -> str:
    return word


TYPES: Mapping[str, Type] = {
    "integer": _simple(one_word.integer_problem, one_word.integer),
    "memory": _simple(one_word.memory_problem, one_word.memory),
    "bool": _simple(one_word.bool_problem, one_word.lower),
    "enum": _simple(one_word.enum_problem, one_word.enum),
    "octal": _simple(one_word.octal_problem, one_word.octal),
    "string": _simple(_text_problem, _same),
    "token": _simple(one_word.token_problem, _same),
    "events": _simple(one_word.events_problem, one_word.events),
    "save": Type(multi_word.save_problem, multi_word.save),
    "client-buffers": Type(multi_word.buffers_problem, multi_word.buffers),
    "addresses": Type(multi_word.addresses_problem, multi_word.words),
    "oom-values": Type(multi_word.oom_problem, multi_word.oom),
    "percentiles": Type(multi_word.percentiles_problem, multi_word.percentiles),
    "flags": Type(multi_word.flags_problem, multi_word.flags),
    "master": Type(multi_word.master_problem, multi_word.master),
    "rename": Type(multi_word.rename_problem, multi_word.rename),
    "user": Type(multi_word.user_problem, multi_word.as_written),
    "of-module": Type(multi_word.of_module_problem, multi_word.of_module),
    "words": Type(multi_word.none_problem, multi_word.as_written),
}
