"""Values of several words or lines: save points, client buffers, addresses ... Each type is a pair of functions.

``canonical`` may rely on ``problem`` having found nothing. Its words, joined by blanks, are what CONFIG GET prints.
"""

from __future__ import annotations

import re

from redis_fleet.catalogue import acl, one_word
from redis_fleet.catalogue.faults import Fault, Taken, halves, taken_for
from redis_fleet.catalogue.table import Directive
from redis_fleet.model import Words

Lines = tuple[Words, ...]
Canonical = str | tuple[str, ...]
CLASSES = ("normal", "slave", "pubsub")  # in the order and spelling of CONFIG GET
_COUNT = re.compile(r"\d{1,20}\Z", re.ASCII)
_LARGEST = (1 << 31) - 1  # seconds and changes are read into a C int; what is more becomes something else in silence
_MOST_BYTES = (1 << 63) - 1
_SIGNED = re.compile(r"[+-]?\d{1,20}\Z", re.ASCII)
_FLOAT = re.compile(r"\+?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})(e[+-]?\d{1,2})?\Z", re.ASCII)
_HOST = re.compile(r"[^\s\x00-\x1f\x7f]+\Z")


def old(directive: Directive) -> bool:
    """Say whether a version takes a line's words as they are: one pair of ``save``, one class of buffers."""
    return directive.version.startswith("redis-6.")


def flat(lines: Lines) -> Words:
    """Return the words of all lines; words that are empty or hold blanks fall apart as CONFIG GET's text does."""
    return tuple(part for words in lines for word in words for part in word.split())


def save_problem(directive: Directive, lines: Lines) -> str | None:
    """Say what is wrong with save points: pairs of seconds and changes."""
    for words in lines:
        if old(directive) and (wrong := _old_save_problem(words)):
            return wrong
        numbers = flat((words,))
        wrong = next((word for word in numbers if not _COUNT.match(word)), None)
        if wrong is not None:
            return Fault(f"'{wrong}' is not a whole number", "a save point is two: seconds and changes, such as 900 1")
        if len(numbers) % 2:
            return f"'{' '.join(numbers)}' is not made of pairs of seconds and changes, such as 900 1"
        if any(int(seconds) < 1 for seconds in numbers[::2]):
            return f"'{' '.join(numbers)}' has a save point after less than 1 second"
        if any(int(number) > _LARGEST for number in numbers):
            return Taken(f"'{' '.join(numbers)}' has a number above {_LARGEST}", "the server has no room for it")
    return None


def _old_save_problem(words: Words) -> str | None:
    """Say what is wrong with a line where the server reads one pair a line, and numbers as far as their digits go."""
    if words in ((), ("",)):
        return None
    if len(words) != 2:
        what = f"'{' '.join(words)}' is not one pair of seconds and changes a line"
        return Taken(f"{what}: the server drops such a line in silence", "write a pair a line, such as 900 1")
    seconds, changes = map(one_word.digits, words)
    written = f"{seconds} {changes}"
    if written == " ".join(words) and seconds > 0 and changes >= 0:
        return None
    if seconds < 1 or changes < 0:
        return f"'{' '.join(words)}' is not a save point: at least 1 second, at least 0 changes, {_LARGEST} at most"
    return taken_for(f"'{' '.join(words)}' is not a pair of whole numbers", written)


def save(_: Directive, lines: Lines) -> Canonical:
    """Return one word "seconds changes" a save point in the order given; nothing at all is no save points."""
    numbers = [str(int(word)) for word in flat(lines)]
    return tuple(f"{seconds} {changes}" for seconds, changes in zip(numbers[::2], numbers[1::2], strict=True))


def buffers_problem(directive: Directive, lines: Lines) -> str | None:
    """Say what is wrong with client-output-buffer-limit: groups of class, hard limit, soft limit, soft seconds."""
    for words in lines:
        if not old(directive) and not flat((words,)):
            return Taken("is empty", "the server would change nothing; write a class, or take it out")
        if not old(directive):
            words = flat((words,))  # noqa: PLW2901
        if not words or len(words) % 4:
            return (
                f"'{' '.join(words)}' is not made of class, hard limit, soft limit and seconds: replica 256mb 64mb 60"
            )
        for group in _groups(words):
            wrong = _group_problem(directive, group)
            if wrong:
                return wrong
    return None


def buffers(directive: Directive, lines: Lines) -> Canonical:
    """Return a word a class in CONFIG GET's order; a class that is not mentioned has its default, the last one wins."""
    limits = {}
    default = tuple((directive.default or "").split())
    for name, hard, soft, seconds in (group for words in (default, *lines) for group in _groups(flat((words,)))):
        limits[_class(name)] = f"{one_word.size(hard)} {one_word.size(soft)} {int(seconds)}"
    return tuple(f"{name} {limits[name]}" for name in CLASSES)


def _groups(words: Words) -> list[Words]:
    return [words[start : start + 4] for start in range(0, len(words), 4)]


def _class(name: str) -> str:
    return "slave" if name.lower() == "replica" else name.lower()


def _group_problem(directive: Directive, group: Words) -> str | None:
    name, hard, soft, seconds = group
    if _class(name) not in CLASSES:
        return one_word.one_of(name, ("normal", "replica", "pubsub"))
    if not _COUNT.match(seconds) or int(seconds) > _LARGEST:
        what = f"'{seconds}' is not a number of seconds"
        return taken_for(what, read) if old(directive) and (read := one_word.digits(seconds)) >= 0 else what
    return next(filter(None, (_limit_problem(directive, size) for size in (hard, soft))), None)


def _limit_problem(directive: Directive, size: str) -> str | None:
    wrong = one_word.memory_problem(directive, size)
    if wrong:
        # What is no size is nothing in particular for 6.x.
        return Taken(*halves(wrong, "correct the value")) if old(directive) else wrong
    much = one_word.between(size, one_word.size(size), 0, _MOST_BYTES)
    return Taken(much, "no machine has that much memory") if much else None


def addresses_problem(directive: Directive, lines: Lines) -> str | None:
    """Say what is wrong with bind: its words are addresses, * for all, with - in front where one may be missing.

    Redis 6.0 does not know the -: it looks for a host of that name.
    """
    given = [word for words in lines for word in words if word] if old(directive) else flat(lines)
    wrong = next((word for word in given if not _HOST.match(word)), None)
    if wrong is not None:
        return Taken(f"'{wrong}' is not an address", "the server would find out when it listens")
    optional = next((word for word in given if word[0] == "-"), None)
    if optional and directive.version.startswith("redis-6.0."):
        return Taken(
            f"'{optional}' is not an address", "redis 6.0 does not know the - in front of one that may be missing"
        )
    return None


def words(_: Directive, lines: Lines) -> Canonical:
    """Return all words in their order; the empty word stands for none."""
    return flat(lines)


def oom_problem(directive: Directive, lines: Lines) -> str | None:
    """Say what is wrong with oom-score-adj-values: three numbers, for master, replica and background child."""
    numbers = tuple(word for words in lines for word in words) if old(directive) else flat(lines)
    if len(numbers) != 3:
        return f"'{' '.join(numbers)}' is not three numbers: for a master, a replica, a background child"
    wrong = next((number for number in numbers if not _SIGNED.match(number)), None)
    if wrong is not None:
        return f"'{wrong}' is not a whole number"
    low, high = directive.minimum, directive.maximum
    return next(filter(None, (one_word.between(number, int(number), low, high) for number in numbers)), None)


def oom(_: Directive, lines: Lines) -> Canonical:
    """Return the three numbers."""
    return tuple(str(int(number)) for number in flat(lines))


def percentiles_problem(_: Directive, lines: Lines) -> str | None:
    """Say what is wrong with percentiles: numbers from 0 to 100."""
    for word in flat(lines):
        if not _FLOAT.match(word):
            return f"'{word}' is not a number such as 99.9"
        wrong = one_word.between(word, float(word), 0, 100)
        if wrong:
            return wrong
    return None


def percentiles(_: Directive, lines: Lines) -> Canonical:
    """Return the numbers as the server prints them, with six decimals at most."""
    return tuple(f"{float(word):.6f}".rstrip("0").rstrip(".") for word in flat(lines))


def flags_problem(directive: Directive, lines: Lines) -> str | None:
    """Say which of several flags is unknown, or that two of them exclude each other."""
    chosen = {word.lower() for word in flat(lines)}
    if {"save", "nosave"} <= chosen:
        return "is both save and nosave"
    return next(filter(None, (one_word.one_of(word, directive.choices) for word in flat(lines) or ("",))), None)


def flags(directive: Directive, lines: Lines) -> Canonical:
    """Return the flags in the order of CONFIG GET, whatever order they were written in."""
    chosen = {word.lower() for word in flat(lines)} - {directive.default}
    return tuple(choice for choice in directive.choices if choice in chosen) or (directive.default or "",)


def master_problem(directive: Directive, lines: Lines) -> str | None:
    """Say what is wrong with replicaof: an address and a port, or "no one", or nothing."""
    given = flat(lines)
    if not master(directive, lines):
        return None
    if len(given) != 2:
        return f"'{' '.join(given)}' is not an address and a port"
    wrong = not _COUNT.match(given[1]) or not 0 < int(given[1]) < 65536
    return f"'{given[1]}' is not a port between 1 and 65535" if wrong else None


def master(_: Directive, lines: Lines) -> Canonical:
    """Return address and port; nothing for a process that follows nobody."""
    given = flat(lines)
    return () if tuple(word.lower() for word in given) == ("no", "one") else given


def rename_problem(_: Directive, lines: Lines) -> str | None:
    """Say what is wrong with rename-command: a command and its new name on each line; the empty name removes it."""
    return None if all(len(words) == 2 and words[0] for words in lines) else "takes a command and its new name"


def rename(_: Directive, lines: Lines) -> Canonical:
    """Return the lines in an order of our own, for theirs means nothing: Sentinel writes them in that of a hash."""
    return tuple(sorted(" ".join(words) for words in lines))


def user_problem(directive: Directive, lines: Lines) -> str | None:
    """Say what is wrong with user lines: a name and ACL rules. Shows neither, for rules hold passwords."""
    names = [words[0] if words else "" for words in lines]
    if not all(names):
        return "takes a user's name and ACL rules"
    if not all(_HOST.match(name) for name in names):
        return Taken("takes a user's name and ACL rules", "blanks and control characters are lost in logs and commands")
    if len(set(names)) < len(names):
        return "names one user twice"
    wrong = next((place for words in lines if (place := acl.unreadable(directive.version, words[1:]))), None)
    return f"has an ACL rule that cannot be read, the word in place {wrong} behind a name" if wrong else None


def none_problem(_: Directive, lines: Lines) -> str | None:
    """Say that a line has no words at all."""
    if all(words and words != ("",) for words in lines):
        return None
    return Taken("has no value", "write one, or take it out") if all(lines) else "has no value"


def of_module_problem(_: Directive, lines: Lines) -> str | None:
    """Say that there is no value: more only the module knows."""
    return None if len(lines) == 1 and any(lines[0]) else "has no value"


def of_module(_: Directive, lines: Lines) -> Canonical:
    """Return the words, numbers and sizes in one form: a module prints them as it likes."""
    return tuple(_anybody(word) for word in flat(lines))


def _anybody(word: str) -> str:
    if _FLOAT.match(word):
        return f"{float(word):.17g}"
    if one_word.is_size(word):
        return str(one_word.size(word))
    return word.lower() if word.lower() in ("yes", "no") else word


def as_written(_: Directive, lines: Lines) -> Canonical:
    """Return the lines, each written as one word."""
    return tuple(" ".join(words) for words in lines)
