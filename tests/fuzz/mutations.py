"""Files of this repository with a few changes, and rubbish."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from redis_fleet.project import ROOT
from tests.fuzz import odd

# A lookup that was changed could write a file anywhere.
_LOOKUP = re.compile(r"\"\{\{ lookup\('(?:password|file)'.*\}\}\"")
SOURCES = tuple(
    _LOOKUP.sub("Zq7xsecret", file.read_text(encoding="utf-8"))
    for folder in ("inventory", "tests/golden/descriptions", "tests/invalid")
    for file in sorted((ROOT / folder).glob("*.redis.yml"))
)
_yaml = st.sampled_from(odd.ODDITIES["yaml"])
_pieces = st.one_of(
    st.sampled_from(
        [":", ": ", "- ", "  ", "\t", "\n", "\r", "#", "&a ", "*a", "!", "{", "}", "[", "]", "'", '"', "|", ">", "<<: "]
    ),
    _yaml,
    odd.words,
    st.characters(),
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Return a file of this repository with some changes that an editor, or a bad day, could make."""
    text = draw(st.sampled_from(SOURCES))
    for _ in range(draw(st.integers(1, 4))):
        text = draw(_change(text))
    return text


@st.composite
def _change(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    at, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
    place = draw(st.integers(0, len(text)))
    match draw(st.integers(0, 8)):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[other])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = " " * draw(st.integers(0, 8)) + lines[at].lstrip()
        case 4:
            lines.insert(at, draw(st.sampled_from(draw(st.sampled_from(SOURCES)).split("\n"))))
        case 5:
            lines[at] = f"{lines[at].partition(':')[0]}: {draw(st.one_of(_yaml, odd.words))}"
        case 6:
            return text[:place] + draw(_pieces) + text[place:]
        case 7:
            return text[:place]
        case _:
            return text[:place] + text[place + draw(st.integers(1, 9)) :]
    return "\n".join(lines)


_snippets = st.lists(
    st.one_of(_pieces, st.sampled_from(["plugin: redis_fleet\n", "machines:", "services:", " a", "\n  "])), max_size=30
)
garbage = st.one_of(st.text(max_size=200), _snippets.map("".join)).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
rubbish = st.one_of(garbage, garbage, st.binary(max_size=200))
