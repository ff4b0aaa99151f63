"""Hold a description against our own reader before anybody sees it, and silence rules that the old setup breaks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from redis_fleet import rules
from redis_fleet.adoption.describe import How, describe
from redis_fleet.adoption.found import Adopted, Found
from redis_fleet.adoption.secrets import Encrypt
from redis_fleet.adoption.writer import Silences
from redis_fleet.agent.secret import Secret
from redis_fleet.loading import load_fleet
from redis_fleet.problems import InvalidDescriptionError, Problem

_FILE = "imported.redis.yml"


def usable(
    found: Sequence[Found], name: str, *, encrypt: Encrypt | None = None, brief: bool = False
) -> tuple[Adopted, tuple[Problem, ...]]:
    """Return the description and what still keeps it from being used; ``brief`` leaves out what is the default.

    Host names are carried where our own reader takes them. What the processes do today, although a rule is against
    it, is silenced with a reason and told in the notes: to change it is the operator's decision, after the import.
    Raises RefusedError as ``describe`` does.
    """
    by_name, kept = _silenced(found, name, How(encrypt, by_name=True, brief=brief))
    if not kept:
        return by_name, kept
    by_address, problems = _silenced(found, name, How(encrypt, brief=brief))
    return (by_address, problems) if len(problems) < len(kept) else (by_name, kept)


def _silenced(found: Sequence[Found], name: str, how: How) -> tuple[Adopted, tuple[Problem, ...]]:
    silences: dict[str, dict[str, Problem]] = {}
    problems = None
    while True:
        adopted = describe(found, name, how, silences)
        problems, before = load(adopted), problems
        new = [
            each for each in problems if _can_be_silenced(each) and each.rule not in silences.get(_section(each), {})
        ]
        if not new or problems == before:
            return replace(adopted, notes=(*adopted.notes, *_told(silences))), problems
        for each in new:
            silences.setdefault(_section(each), {}).setdefault(each.rule, each)


def _told(silences: Silences) -> list[str]:
    return [
        f"{each.rule} is silenced in {section or 'the description'}: {each.what}; {each.remedy}"
        for section, own in silences.items()
        for each in own.values()
    ]


def _can_be_silenced(problem: Problem) -> bool:
    rule = rules.find(problem.rule) if problem.rule else None
    return rule is not None and rule.can_be_silenced


def _section(problem: Problem) -> str:
    """Return the part of the file that a problem is in: ``services.orders``, ``sentinel``, or nothing for the whole."""
    if problem.path.startswith("services."):
        name = problem.path.removeprefix("services.")
        for key in (".config", ".bind", ".password", ".sentinel", ".replicas", ".master", ".adopted", ".port"):
            name = name.partition(key)[0] if key in name else name
        return f"services.{name.partition('[')[0]}"
    return "sentinel" if problem.path.startswith("sentinel") else ""


def load(adopted: Adopted) -> tuple[Problem, ...]:
    """Return what our own reader says against a description, with the secrets at hand that it speaks of."""
    with tempfile.TemporaryDirectory(prefix="redis-fleet-") as folder, environment(adopted.secrets):
        file = Path(folder) / _FILE
        write(file, adopted.text)
        try:
            load_fleet(str(file))
        except InvalidDescriptionError as error:
            found = [each for each in error.problems if not each.warning]
            return tuple(replace(each, position=replace(each.position, file=_FILE)) for each in found)
    return ()


@contextmanager
def environment(secrets: Mapping[str, Secret]) -> Iterator[None]:
    """Put secrets into this process's environment for a while."""
    before = dict(os.environ)
    # A password of which only the hash is known is still one.
    os.environ.update({name: secret.reveal() or "unknown" for name, secret in secrets.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def write(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as sink:
            sink.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
