from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redis_fleet.agent.conf.text import Line, parse_file, quote, split

words = st.one_of(
    st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")),
    st.text(alphabet=" \t\n\"'\\#xabn0é€\x00\x7f\x85"),
)


@given(st.lists(words))
def test_quoted_words_are_read_back(given_words: list[str]) -> None:
    line = " ".join(quote(word) for word in given_words)
    assert split(line) == tuple(given_words)
    assert "\n" not in line
    assert parse_file(f"# comment\nname {line}\n") == [Line("name", tuple(given_words), 2)]


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("64mb", "64mb"),
        ("/var/lib/redis/orders-6379", "/var/lib/redis/orders-6379"),
        ("-::1", "-::1"),
        ("g$lshzxe", "g$lshzxe"),
        ("", '""'),
        ("a b", '"a b"'),
        ("#x", '"#x"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("a\n\x01", r'"a\n\x01"'),
        ("it's", '"it\'s"'),
        ("größe", '"größe"'),
        ("\udcff", r'"\xff"'),
    ],
)
def test_how_a_word_is_written(word: str, written: str) -> None:
    assert quote(word) == written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("\udcff raw", ("\udcff", "raw")),
        ("  \t ", ()),
        ("900 1", ("900", "1")),
        (" normal\t0  0 0 ", ("normal", "0", "0", "0")),
        ('""', ("",)),
        (r'"\x41\n\t\"\q\x4"', ('A\n\t"qx4',)),
        (r"'it\'s \n'", ("it's \\n",)),
        ('pre"fix ed"', ("prefix ed",)),
        (r"a\x41", (r"a\x41",)),
        ('"a" "b"', ("a", "b")),
        (r'"\xc3\xa9"', ("é",)),
        (r"'a\b'", (r"a\b",)),
    ],
)
def test_how_a_line_is_split(text: str, expected: tuple[str, ...]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize("text", ['"open', "'open", '"a"b', "'a'b", 'a"b', r"'a\'", r'"a\"'])
def test_unbalanced_quotes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unbalanced quotes"):
        split(text)


def test_a_file_is_read_with_its_line_numbers() -> None:
    text = '# a comment\n\n  PORT 6379\r\nsave 900 1 300 10\n   # indented\nrequirepass "a # b"\n'
    assert parse_file(text) == [
        Line("port", ("6379",), 3),
        Line("save", ("900", "1", "300", "10"), 4),
        Line("requirepass", ("a # b",), 6),
    ]


def test_a_bad_line_is_named() -> None:
    with pytest.raises(ValueError, match="line 2: unbalanced quotes"):
        parse_file('port 1\ndir "x\n')
