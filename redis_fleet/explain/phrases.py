"""A directive's value in words: what it may be, what it is by default, how YAML writes it."""

from __future__ import annotations

import re

import yaml

from redis_fleet.catalogue.table import NUMBERS, Directive
from redis_fleet.settings import shares

_UNBOUNDED = (1 << 31) - 1  # from here on a maximum is the C type's, and says nothing
_UNITS = ((1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb"))
_WORDS = {
    "integer": "a whole number",
    "memory": "a memory size such as 64mb",
    "bool": "yes or no",
    "octal": "a file mode such as 770",
    "string": "a text",
    "token": "a text without blanks, quotes, # and backslash",
    "save": "pairs of seconds and changes such as 900 1, or none",
    "client-buffers": "class (normal, replica, pubsub), hard limit, soft limit and seconds, for each class",
    "addresses": "addresses; * and -::* stand for all",
    "oom-values": "three whole numbers",
    "percentiles": "numbers from 0 to 100",
    "master": "an address and a port, or none",
    "rename": 'a command and its new name, "" to take it away',
    "user": "a name and ACL rules",
    "words": "words",
}


def value(directive: Directive) -> str:
    """Return what a directive may be: ``a whole number, 0 to 65535``."""
    text = _choices(directive) or _WORDS[directive.type]
    if directive.percent:
        text += " or a share of maxmemory such as 5%"
    if directive.name == shares.DIRECTIVE:
        text += " or a share of the machine's memory such as 60%, worked out when it is deployed"
    limits = _limits(directive)
    return f"{text}, {limits}" if limits else text


def default(directive: Directive) -> str:
    """Return what a directive is where nobody sets it, as CONFIG GET prints it; memory with its size in words."""
    if directive.default is None:
        return "none"
    if directive.type == "memory" and (size := size_in_words(directive.default)) != directive.default:
        return f"{size} ({directive.default})"
    return directive.default or "empty"


def size_in_words(text: str) -> str:
    """Return ``64mb`` for 67108864, and the number itself where no unit fits."""
    number = int(text) if text.isdecimal() else 0
    return next((f"{number // unit}{name}" for unit, name in _UNITS if number >= unit and number % unit == 0), text)


def yaml_value(directive: Directive) -> str:
    """Return a value as YAML writes it behind ``NAME:``: the row's example, else the default; empty where none is."""
    if directive.example or directive.default is None:
        return directive.example
    if directive.type == "memory":
        return size_in_words(directive.default)
    if directive.many_words and " " in directive.default:
        return f"[{', '.join(map(yaml_scalar, directive.default.split()))}]"
    return yaml_scalar(directive.default)


def yaml_scalar(text: str) -> str:
    """Return a text as a YAML scalar, quoted where it would otherwise be something else."""
    if re.fullmatch(r"[\w./%+-][\w./%:+-]*( [\w./%:+-]+)*", text, re.ASCII) and _plain(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(text: str) -> bool:
    try:
        return [token.value for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken)] == [text]
    except yaml.YAMLError:
        return False


def _choices(directive: Directive) -> str:
    if directive.type == "events":
        return f"letters of {''.join(directive.choices)}, or none"
    if not directive.choices:
        return ""
    start = "one or more of" if directive.type == "flags" else "one of"
    return f"{start} {', '.join(directive.choices)}"


def _limits(directive: Directive) -> str:
    if directive.type not in (*NUMBERS, "oom-values") or directive.type == "octal":
        return ""
    low, high = directive.minimum, directive.maximum
    if low is not None and low <= -_UNBOUNDED:
        low = None
    if high is not None and high >= _UNBOUNDED:
        high = None
    show = _size if directive.type == "memory" else str
    if low is not None and high is not None:
        return f"{show(low)} to {show(high)}"
    if low is not None and (low or directive.type != "memory"):
        return f"{show(low)} or more"
    return f"at most {show(high)}" if high is not None else ""


def _size(number: int) -> str:
    return size_in_words(str(number))
