"""The text of redis.conf and sentinel.conf: how words are split, quoted and read.

The rules are those of the server: sds.c (sdssplitargs, sdscatrepr) and config.c (loadServerConfigFromString). A file is
bytes; here it is text, decoded and encoded as UTF-8 with ``surrogateescape``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_SPACE = b" \t\n\v\f\r"
_END = b" \t\n\r\0"
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_NAMES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\a": r"\a", "\\": r"\\", '"': r"\""}
_PLAIN = re.compile(r"""[!$-&(-\[\]-~]+\Z""")  # printable ASCII except space " # ' \
_TOKENS = re.compile(
    rb"""
    "(?P<double>(?:\\.|[^"\\])*)"(?P<after_double>.?)   # a backslash shields any byte, the quote included
    | '(?P<single>(?:\\'|\\(?!')|[^'\\])*)'(?P<after_single>.?)   # only \' is an escape
    | (?P<plain>[^ \t\n\r\0"']+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)


class Line(NamedTuple):
    """One directive of a file: its name in lower case, the words behind it, and the line number, from 1."""

    name: str
    words: tuple[str, ...]
    number: int


class LineError(ValueError):
    """A line, from 1, that the server cannot read, and ``what`` is wrong with it."""

    def __init__(self, number: int, what: str) -> None:
        """Keep both."""
        super().__init__(f"line {number}: {what}")
        self.number = number
        self.what = what


def split(text: str) -> tuple[str, ...]:
    """Split a line into words with Redis' own quoting rules; raises ValueError on unbalanced quotes."""
    data = text.encode("utf-8", "surrogateescape").split(b"\0", 1)[0]
    words: list[str] = []
    position = _skip(data, 0)
    while position < len(data):
        word, position = _word(data, position)
        words.append(word.decode("utf-8", "surrogateescape"))
        position = _skip(data, position)
    return tuple(words)


def quote(word: str) -> str:
    r"""Write a word for redis.conf: as it is when that is safe, else (the empty word too) in double quotes."""
    if _PLAIN.match(word):
        return word
    return '"' + "".join(_NAMES.get(letter) or _letter(letter) for letter in word) + '"'


def parse_file(text: str) -> list[Line]:
    """Read a configuration file; comments and blank lines are dropped. Raises LineError."""
    found: list[Line] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip(" \t\r\n")
        if not line or line.startswith("#"):
            continue
        try:
            words = split(line)
        except ValueError as error:
            raise LineError(number, str(error)) from error
        if words:
            found.append(Line(words[0].lower(), words[1:], number))
    return found


def _skip(data: bytes, position: int) -> int:
    while position < len(data) and data[position] in _SPACE:
        position += 1
    return position


def _word(data: bytes, position: int) -> tuple[bytes, int]:
    """Read one word: plain bytes up to a blank; a quoted part ends it, even after plain ones."""
    word = b""
    while position < len(data) and data[position] not in _END:
        token = _TOKENS.match(data, position)
        if token is None or (token["after_double"] or token["after_single"] or b" ") not in _BLANKS:
            raise ValueError("unbalanced quotes")
        if token["plain"] is not None:
            word, position = word + token["plain"], token.end()
            continue
        double = token["double"] is not None
        word += _ESCAPE.sub(_unescape, token["double"]) if double else token["single"].replace(rb"\'", b"'")
        return word, token.end("double" if double else "single") + 1
    return word, position


_BLANKS = tuple(bytes([byte]) for byte in _SPACE)


def _unescape(escape: re.Match[bytes]) -> bytes:
    if escape[1] is not None:
        return bytes([int(escape[1], 16)])
    return _ESCAPES.get(escape[2], escape[2])


def _letter(letter: str) -> str:
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))
