"""Write YAML that our own reader takes for exactly the same texts; ``nodes`` reads every scalar as text."""

from __future__ import annotations

import re
from typing import Any

import yaml

from redis_fleet.adoption.texts import Text
from redis_fleet.safe_yaml import LOADER

_TEMPLATE = re.compile(r"\{\{|\{%")
_NULL = "tag:yaml.org,2002:null"


def template(text: Text, references: dict[str, str]) -> str:
    """Return a text as a template: what looks like one is made a literal, a secret is looked up.

    ``references`` are expressions (``lookup('env', 'NAME')``) by the secret's clear text.
    """
    whole = "".join(each for each in text.parts if isinstance(each, str))
    if not text.hidden:
        return f"{{{{ {literal(whole)} }}}}" if _needs_literal(whole) else whole
    made = ""
    for each in text.parts:
        if not isinstance(each, str):
            made += f"{{{{ {references[each.value.reveal()]} }}}}"
        else:
            # Beside a template even a single brace may begin one, and a template's line ends are not all kept.
            made += f"{{{{ {literal(each)} }}}}" if "{" in each or not each.isprintable() else each
    return made


def _needs_literal(text: str) -> bool:
    # YAML has no way to write half a surrogate: a byte that is no UTF-8 goes through the template's own escapes.
    return bool(_TEMPLATE.search(text)) or any("\ud800" <= letter <= "\udfff" for letter in text)


def literal(text: str) -> str:
    """Write a text as a string of Jinja, in single quotes, with only printable ASCII and letters in it."""
    made = []
    for letter in text:
        if letter in "\\'":
            made.append("\\" + letter)
        elif letter.isprintable():
            made.append(letter)
        else:
            made.append(f"\\U{ord(letter):08x}" if ord(letter) > 0xFFFF else f"\\u{ord(letter):04x}")
    return "'" + "".join(made) + "'"


def scalar(text: str, *, flow: bool = False) -> str:
    """Write one scalar as plainly as reads back the same; ``flow``: inside [...] or {...}."""
    if _reads_as(text, text, flow):
        return text
    single = "'" + text.replace("'", "''") + "'"
    # Single quotes only where double ones would need a backslash.
    if ("\\" in text or '"' in text) and _reads_as(single, text, flow):
        return single
    return _escaped(text)


def _reads_as(made: str, text: str, flow: bool) -> bool:
    if "\n" in made or "\r" in made or not made.isprintable():
        return False
    try:
        node = yaml.compose(f"k: [{made}, x]" if flow else f"k: {made} # x", Loader=LOADER)
        value: Any = node.value[0][1] if node else None
        if flow:
            first, last = value.value
            if last.value != "x":
                return False
            value = first
        return bool(isinstance(value, yaml.ScalarNode) and value.value == text and value.tag not in (_NULL, "!vault"))
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        return False


def _escaped(text: str) -> str:
    made = []
    for letter in text:
        if letter in '"\\':
            made.append("\\" + letter)
        elif letter.isprintable():
            made.append(letter)
        else:
            made.append(f"\\U{ord(letter):08x}")
    return '"' + "".join(made) + '"'
