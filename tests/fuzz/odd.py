"""Odd values: for each directive some that fit its row, some on its borders, some beside it, and some of no sense.

A value is what YAML says: the text of a scalar, or those of a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from redis_fleet.catalogue.table import Directive

ODDITIES: Mapping[str, list[str]] = json.loads(Path(__file__).with_name("oddities.json").read_text("utf-8"))
MATRIX: Mapping[str, Any] = json.loads(Path(__file__).with_name("matrix.json").read_text("utf-8"))
Texts = tuple[str, ...]
TextStrategy = st.SearchStrategy[str]

_NUMBERS = (*ODDITIES["numbers"], "1" + "0" * 5000, "0" * 400 + "1")
_UNITS = tuple(ODDITIES["units"])
_WORDS = (*ODDITIES["words"], "x" * 20000)
_LETTERS = st.sampled_from("abzAZ019-_./:,;=+*?!@#$%&~^|<>()[]{}'\"\\` \t\n\r\0\x01\x0b\x7f\xa0äß日😀\u2028")
words = st.sampled_from(_WORDS)
numbers = st.sampled_from(_NUMBERS)
letters = st.text(_LETTERS, max_size=8)
anything = st.one_of(words, numbers, letters, st.text(max_size=6))


def _near(directive: Directive) -> TextStrategy:
    """Return numbers around the limits and the default."""
    low, high = directive.minimum or 0, directive.maximum if directive.maximum is not None else 1 << 63
    default = int(directive.default) if directive.default and directive.default.lstrip("-").isdecimal() else 0
    places = sorted({low, high, default, 0, 100, 1 << 31, 1 << 63})
    return st.builds(lambda place, step: str(place + step), st.sampled_from(places), st.integers(-1, 1))


def _integers(directive: Directive) -> TextStrategy:
    low, high = directive.minimum or 0, directive.maximum if directive.maximum is not None else 1 << 63
    fitting = st.integers(low, max(low, high)).map(str)
    return st.one_of(fitting, _near(directive), numbers)


def _memory(directive: Directive) -> TextStrategy:
    sized = st.builds(lambda number, unit: f"{number}{unit}", st.integers(0, 5000), st.sampled_from(_UNITS))
    huge = st.builds(lambda number, unit: f"{number}{unit}", numbers, st.sampled_from(_UNITS))
    return st.one_of(_integers(directive), sized, sized, huge)


def _cased(text: str) -> TextStrategy:
    return st.sampled_from(
        [text, text, text.upper(), text.capitalize(), text.swapcase(), f" {text}", f"{text} ", text[:-1]]
    )


def _choices(directive: Directive) -> TextStrategy:
    choices = directive.choices or ("yes", "no")
    return st.one_of(st.sampled_from(choices), st.sampled_from(choices).flatmap(_cased), words)


_names = st.one_of(
    words, letters, st.sampled_from(["other", "a.b-c", "dump.rdb", "dir/dump.rdb", "/abs", "C", "POSIX"])
)
_BY_TYPE: Mapping[str, Callable[[Directive], TextStrategy]] = {
    "integer": _integers,
    "memory": _memory,
    "bool": _choices,
    "enum": _choices,
    "octal": lambda _: st.one_of(st.integers(0, 0o2000).map(lambda mode: f"{mode:o}"), numbers),
    "events": lambda _: st.one_of(st.text("KEA$lshzxegtdmn?", max_size=5), words),
    "save": lambda _: _several(st.one_of(st.integers(-1, 4000).map(str), st.integers(1, 900).map(str), numbers)),
    "oom-values": lambda _: _several(
        st.one_of(st.integers(-2100, 2100).map(str), st.integers(0, 900).map(str), numbers)
    ),
    "percentiles": lambda _: _several(st.one_of(st.floats(-1, 101).map(str), st.integers(0, 100).map(str), numbers)),
    "flags": lambda directive: _several(_choices(directive)),
    "client-buffers": lambda _: _several(_buffers()),
    "addresses": lambda _: _several(words),
    "rename": lambda _: _several(
        st.sampled_from(["KEYS", "keys", "nosuch", "", '""', "CONFIG", "FLUSHALL", "x", "a b"])
    ),
    "user": lambda _: _several(_acl()),
    "master": lambda _: _several(st.sampled_from(["127.0.0.1", "1", "no", "one", "NO", "x", "0", "65536", "6379", ""])),
    "words": lambda _: _several(words),
}


def _buffers() -> TextStrategy:
    size = st.one_of(st.sampled_from(["0", "1mb", "64mb", "1GB", "5", "-1", "5%"]), numbers)
    name = st.sampled_from(["normal", "replica", "slave", "pubsub", "Replica", "master", "nosuch", ""])
    seconds = st.one_of(st.integers(-1, 100).map(str), numbers)
    return st.one_of(st.builds(lambda *four: " ".join(four), name, size, size, seconds), words)


def _acl() -> TextStrategy:
    names_ = st.sampled_from(["metrics", "other", "default", "a b", "", "größe", "x,y"])
    # Only commands and categories that there are, see intended.py.
    some = st.lists(st.sampled_from(ODDITIES["acl rules"]), max_size=4).map(" ".join)
    return st.builds(lambda name, rest: f"{name} {rest}".strip(), names_, some)


def _several(one: TextStrategy) -> TextStrategy:
    """Return texts of several words."""
    return st.builds(
        lambda parts, blank: blank.join(parts), st.lists(one, min_size=1, max_size=4), st.sampled_from(" \t,  ")
    )


def fitting(directive: Directive) -> TextStrategy:
    """Return texts that mostly fit a directive or nearly do."""
    if directive.many_words and directive.type not in _BY_TYPE:
        return _several(words)
    return _BY_TYPE[directive.type](directive) if directive.type in _BY_TYPE else _names


@lru_cache(maxsize=4096)
def texts(directive: Directive) -> st.SearchStrategy[Texts]:
    """Return values for a directive as YAML gives them: mostly one text, sometimes a list, at times sheer nonsense."""
    default = st.just(directive.default or "")
    one = st.one_of(fitting(directive), fitting(directive), fitting(directive), default, anything)
    single = one.map(lambda text: (text,))
    several = st.lists(fitting(directive), max_size=3).map(tuple)
    return st.one_of(single, single, single, several) if directive.many_words else st.one_of(*[single] * 9, several)
