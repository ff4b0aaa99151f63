"""Values of one word: numbers, sizes, choices. Each type is a ``problem`` and a ``canonical`` function of that word.

``canonical`` may rely on ``problem`` having found nothing, and returns what CONFIG GET prints.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from redis_fleet.catalogue.faults import Fault
from redis_fleet.catalogue.table import Directive

_INTEGER = re.compile(r"(0|-?[1-9]\d{0,19})\Z", re.ASCII)  # util.c:string2ll takes no sign +, blank or leading zero
_MEMORY = re.compile(r"(\d{1,127})(b|k|kb|m|mb|g|gb)?\Z", re.ASCII | re.IGNORECASE)  # util.c:memtoull has room for 127
_SIGNED_MEMORY = re.compile(r"-[1-9]\d{0,19}\Z", re.ASCII)
_PERCENT = re.compile(r"(0|[1-9]\d{0,19})%\Z", re.ASCII)
_OCTAL = re.compile(r"[0-7]{1,20}\Z", re.ASCII)
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000**2, "mb": 1 << 20, "g": 1000**3, "gb": 1 << 30}
_ONLY_MAXMEMORY = "write a size such as 64mb; of all directives maxmemory alone takes a share of the machine's memory"
_UNBOUNDED = (1 << 31) - 1  # from here on a maximum is the C type's, of no use in a message


def one_of(word: str, choices: Iterable[str]) -> str | None:
    """Say that a word is none of the choices, whatever its case, with the nearest; None when it is one."""
    names = sorted(choices)
    if word.lower() in (name.lower() for name in names):
        return None
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    return f"'{word}' is not one of {', '.join(names)}" + (f" (did you mean {near[0]}?)" if near else "")


def between(text: str, number: float, minimum: int | None, maximum: int | None) -> str | None:
    """Say that a number lies outside its limits; ``text`` is how it was written."""
    low = minimum is not None and number < minimum
    high = maximum is not None and number > maximum
    if not low and not high:
        return None
    if low and (maximum is None or maximum >= _UNBOUNDED):
        return f"{text} is less than {minimum}"
    return f"{text} is not between {minimum} and {maximum}"


def integer_problem(directive: Directive, word: str) -> str | None:
    """Say what is wrong with a whole number."""
    if not _INTEGER.match(word):
        return f"'{word}' is not a whole number"
    wrong = between(word, int(word), directive.minimum, directive.maximum)
    if wrong and directive.clamped and int(word) >= 0:
        nearest = clamped(directive, int(word))
        return Fault(f"{wrong}: the server takes it for {nearest}", f"write {nearest}")
    return wrong


def clamped(directive: Directive, number: int) -> int:
    """Return the nearest number within the limits of a directive."""
    low = number if directive.minimum is None else max(number, directive.minimum)
    return low if directive.maximum is None else min(low, directive.maximum)


def memory_problem(directive: Directive, word: str) -> str | None:
    """Say what is wrong with a memory size, or with a percentage of maxmemory where that is allowed."""
    percent = _PERCENT.match(word) if directive.percent else None
    if percent:
        return between(word, int(percent[1]), 0, 100)
    if not directive.percent and _PERCENT.match(word):
        return Fault(f"'{word}' is a share, and this takes bytes", _ONLY_MAXMEMORY)
    signed = (directive.minimum or 0) < 0 and _SIGNED_MEMORY.match(word)
    if not signed and not _MEMORY.match(word):
        return f"'{word}' is not a memory size such as 64mb" + (" or a share such as 5%" if directive.percent else "")
    return between(word, size(word), directive.minimum, directive.maximum)


def size(word: str) -> int:
    """Return the bytes of a memory size: 1k is 1000, 1kb is 1024 (util.c:memtoull)."""
    match = _MEMORY.match(word)
    return int(match[1]) * _UNITS[(match[2] or "").lower()] if match else int(word)


def size_in_words(number: int) -> str:
    """Return bytes as somebody would write them: the biggest unit of 1024 in which they are whole."""
    for unit in ("gb", "mb", "kb"):
        if number and number % _UNITS[unit] == 0:
            return f"{number // _UNITS[unit]}{unit}"
    return str(number)


def about(number: int) -> str:
    """Return bytes in the biggest unit that fits, to two digits behind the point: ``2.4gb``."""
    unit = next((each for each in ("gb", "mb", "kb") if number >= _UNITS[each]), "b")
    return f"{number / _UNITS[unit]:.2f}".rstrip("0").rstrip(".") + unit


def memory(_: Directive, word: str) -> str:
    """Return bytes, or the percentage; CONFIG GET prints 0% as 0."""
    percent = _PERCENT.match(word)
    if percent:
        return f"{int(percent[1])}%" if int(percent[1]) else "0"
    return str(size(word))


def bool_problem(_: Directive, word: str) -> str | None:
    """Say that a word is neither yes nor no; true and on are not Redis words."""
    return None if word.lower() in ("yes", "no") else f"'{word}' is not yes or no"


def lower(_: Directive, word: str) -> str:
    """Return a word in lower case."""
    return word.lower()


def enum_problem(directive: Directive, word: str) -> str | None:
    """Say that a word is not one of the directive's choices."""
    return one_of(word, directive.choices)


def enum(directive: Directive, word: str) -> str:
    """Return the choice as the table spells it, a synonym (oom-score-adj relative) as what it stands for."""
    spelled = {choice.lower(): choice for choice in directive.choices}[word.lower()]
    return dict(directive.synonyms).get(spelled, spelled)


def octal_problem(directive: Directive, word: str) -> str | None:
    """Say what is wrong with a file mode."""
    if not _OCTAL.match(word) or int(word, 8) > (directive.maximum or 0o777):
        return f"'{word}' is not a file mode such as 770"
    return None


def octal(_: Directive, word: str) -> str:
    """Return a file mode without leading zeros."""
    return f"{int(word, 8):o}"


def events_problem(directive: Directive, word: str) -> str | None:
    """Say which letters are no classes of keyspace events of that version."""
    unknown = "".join(dict.fromkeys(letter for letter in word if letter not in directive.choices))
    return f"'{unknown}' is not among the event classes {''.join(directive.choices)}" if unknown else None


def events(directive: Directive, word: str) -> str:
    """Return the classes in the order of CONFIG GET; A stands for all but K, E, m and n (notify.c).

    With A the server does not tell whether n is set, so n is left out beside A.
    """
    every = [letter for letter in directive.choices if letter not in "KEAmn"]
    chosen = set(word) | (set(every) if "A" in word else set())
    head = "A" if chosen >= set(every) else "".join(letter for letter in (*every, "n") if letter in chosen)
    return head + "".join(letter for letter in "KEm" if letter in chosen)


def token_problem(_: Directive, word: str) -> str | None:
    """Refuse what Sentinel, which writes these values unquoted, could not read again; never shows the value."""
    if word and re.search(r"""[\s"'\x00-\x20\x7f]""", word):
        return "has a blank, quote or control character, which Sentinel cannot read back from its own file"
    return None
