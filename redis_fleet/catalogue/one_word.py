"""Values of one word: numbers, sizes, choices. Each type is a ``problem`` and a ``canonical`` function of that word.

``canonical`` may rely on ``problem`` having found nothing, and returns what CONFIG GET prints.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from redis_fleet.catalogue.faults import Fault, Taken, taken_for
from redis_fleet.catalogue.table import Directive

_INTEGER = re.compile(r"(0|-?[1-9]\d{0,19})\Z", re.ASCII)  # util.c:string2ll takes no sign +, blank or leading zero
_DIGITS = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*(\d*)", re.ASCII)
_MEMORY = re.compile(r"(\d{1,127})(b|k|kb|m|mb|g|gb)?\Z", re.ASCII | re.IGNORECASE)  # util.c:memtoull has room for 127
_SIGNED_MEMORY = re.compile(r"-[1-9]\d{0,19}\Z", re.ASCII)
_MINUS_NOTHING = re.compile(r"-0+(b|k|kb|m|mb|g|gb)?\Z", re.ASCII | re.IGNORECASE)
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
    whole = bool(_INTEGER.match(word))
    if whole and directive.takes and directive.takes[0] <= int(word) <= directive.takes[1]:
        return None
    limits = directive.minimum, directive.maximum
    wrong = between(word, int(word), *limits) if whole else f"'{word}' is not a whole number"
    if wrong and directive.digits and directive.digits[0] <= (read := digits(word)) <= directive.digits[1]:
        said = wrong if whole and read == int(word) else f"{wrong}: the server takes it for {read}"
        return Taken(said, "correct the value", str(read))
    return wrong


def integer(directive: Directive, word: str) -> str:
    """Return a number as the server has it: the nearest one within its limits, where it takes more."""
    return str(clamped(directive, int(word))) if directive.takes else word


def digits(word: str) -> int:
    """Return the number that C's atoi reads: as far as the digits go, 0 without any, cut to 32 bits."""
    found = _DIGITS.match(word)
    # More digits than Python turns into a number are as good as 20.
    number = int(found[1] + (found[2][:20] or "0")) if found else 0
    number = min(max(number, -(1 << 63)), (1 << 63) - 1)
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


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
        what = f"'{word}' is not a memory size such as 64mb" + (" or a share such as 5%" if directive.percent else "")
        nothing = word.lower() in _UNITS or (directive.version.startswith("redis-6.") and _MINUS_NOTHING.match(word))
        return taken_for(what, 0) if nothing and not between("", 0, directive.minimum, directive.maximum) else what
    wrong = between(word, size(word), directive.minimum, directive.maximum)
    if wrong and between(word, read := _size_as_read(directive, word), directive.minimum, directive.maximum) is None:
        return taken_for(wrong, read)
    return wrong


def _size_as_read(directive: Directive, word: str) -> int:
    """Return the bytes that the server makes of a size, which it has 64 bits for (util.c: memtoull; 6.x: memtoll)."""
    most, bits = ((1 << 63) - 1 if directive.version.startswith("redis-6.") else (1 << 64) - 1), 1 << 64
    match = _MEMORY.match(word)
    if match and int(match[1]) > most and directive.version.startswith("valkey-9"):
        return size(word)  # which it refuses
    number = min(int(match[1]), most) * _UNITS[(match[2] or "").lower()] % bits if match else int(word)
    signed = (directive.minimum or 0) < 0 or directive.version.startswith("redis-6.")
    return number - bits if signed and number >= bits >> 1 else number


def size(word: str) -> int:
    """Return the bytes of a memory size: 1k is 1000, 1kb is 1024 (util.c:memtoull)."""
    match = _MEMORY.match(word)
    return int(match[1]) * _UNITS[(match[2] or "").lower()] if match else int(word)


def is_size(word: str) -> bool:
    """Say whether a word can be a memory size."""
    return bool(_MEMORY.match(word))


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
    most = directive.maximum or 0o777
    if _OCTAL.match(word) and int(word, 8) <= most:
        return None
    wrong = f"'{word}' is not a file mode such as 770"
    # 6.x reads the digits in front, none too (strtol); 7.0 takes blanks and a sign in front of nothing but digits.
    read = re.match(r"[ \t\n\v\f\r]*([+-]?[0-7]+)", word, re.ASCII)
    old = directive.version.startswith("redis-6.")
    if old or not word or (read and read.end() == len(word)):
        number = int(read[1], 8) if read else 0
        return taken_for(wrong, f"{number:o}") if 0 <= number <= most else wrong
    return wrong


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
        what = "has a blank, quote or control character, which Sentinel cannot read back from its own file"
        return Taken(what, "use letters, digits and other signs")
    return None
