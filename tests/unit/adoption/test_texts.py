"""What import writes is read back as the same words, whatever is in them."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from redis_fleet.adoption.texts import Hidden, Text
from redis_fleet.adoption.users import default_user, hidden
from redis_fleet.adoption.yaml_text import scalar, template
from redis_fleet.agent.conf.text import split
from redis_fleet.agent.secret import Secret
from redis_fleet.description.nodes import read
from redis_fleet.description.secrets import Variables, expand
from redis_fleet.problems import Position

_SIGNS = "~ null [ ] { } , & * ! | > % @ ` = << ? a é 😀 0x1 1e3 yes --- ... {{ }} {% %} {# #} ' \" \\ #".split()  # noqa: SIM905
_OTHERS = [": ", "- ", " ", "\n", "\r\n", "\t", "\x00", "\x85", "\u2028", "\udcff", "\ufeff", "\x1b"]
NASTY = st.sampled_from([*_SIGNS, *_OTHERS])
TEXTS = st.lists(NASTY | st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=8).map("".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.booleans())
def test_a_text_comes_back_through_template_and_yaml(text: str, flow: bool) -> None:
    written = scalar(template(Text((text,)), {}), flow=flow)
    document = f"plugin: x\nk: [{written}, x]\n" if flow else f"plugin: x\nk:\n  n: {written}\n  m: x\n"
    tree = read("f", document).tree
    raw = tree["k"][0] if flow else tree["k"]["n"]
    assert expand(raw, Variables({})).text == text


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_secrets_among_other_words_come_back(before: str, secret: str, after: str) -> None:
    text = Text((before, Hidden("password", Secret(secret)), after))
    raw = read("f", f"k: {scalar(template(text, {secret: 'told'}))}\n").tree["k"]
    assert expand(raw, Variables({"told": secret})).text == before + secret + after


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS.filter(lambda text: text and text[0] not in "#!"), min_size=1, max_size=4))
def test_a_user_line_is_split_into_the_words_that_it_had(words: list[str]) -> None:
    line = hidden(("somebody", *words), Position("f", 1))
    again = split(line.clear)
    assert again[0] == "somebody"
    assert default_user(again[1:], old=False) == default_user(tuple(words), old=False)


def test_what_a_line_for_the_default_user_amounts_to() -> None:
    def of(text: str, old: bool = False) -> tuple[bool, bool, int]:
        found = default_user(tuple(text.split()), old=old)
        return found.whole, found.open, len(found.hashes)

    assert of("on nopass ~* &* +@all") == (True, True, 0)
    assert of("on nopass sanitize-payload ~* &* +@all") == (True, True, 0)
    assert of("on nopass ~* +@all") == (False, True, 0)
    assert of("on nopass ~* +@all", old=True) == (True, True, 0)
    assert of("on #aa ~* resetchannels +@all", old=True) == (False, False, 1)
    assert of("on >a >b ~* &* +@all") == (True, False, 2)
    assert of("on >a <a nopass >c allkeys allchannels allcommands") == (True, False, 1)
    assert of("off >a ~* &* +@all") == (False, False, 1)
    assert of("on >a ~app:* &* +@all") == (False, False, 1)
    assert of("on >a ~* &* +@all -flushall") == (False, False, 1)
    assert of("on >a ~* &* +@all (+get ~x)") == (False, False, 1)
    assert of("on >a ~* &* +@all reset") == (False, False, 0)
    assert of("on >a ~* &* +@all skip-sanitize-payload") == (False, False, 1)


def test_plain_values_are_written_plainly() -> None:
    words = ["yes", "64mb", "0700", "900 1", "/etc/redis/x.conf", "-::1", "a'b", "it is"]
    assert [scalar(each) for each in words] == words
    assert scalar("") == '""'
    assert scalar("{{ lookup('env', 'X') }}") == "\"{{ lookup('env', 'X') }}\""
    assert scalar('a "b" #c') == "'a \"b\" #c'"
    assert yaml.safe_load(f"k: {scalar('a: b')}") == {"k": "a: b"}
