"""Rules that a file silences: ``silence: {W3: "the reason in words"}``, for the file or one of its sections."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path, dotted
from redis_fleet.model import Silence
from redis_fleet.problems import Problem
from redis_fleet.rulebook import decides, declare
from redis_fleet.rules import all_rules, find

UNUSED = declare(
    "W0",
    "a silence that silences nothing",
    reason="what it once silenced is gone, and it would hide the next thing of its kind",
    source="redis-fleet's own",
    remedy="take it out",
    firm="take out the one that silences nothing",
)


def silences(description: Description) -> dict[Silence, Path]:
    """Return every silence of a file with its place, and report those that cannot be."""
    found = {}
    for section, written in _written(description):
        for rule, reason in written.items():
            path = (*section, "silence", rule)
            wrong = _wrong(rule)
            if wrong:
                description.report(path, *wrong)
            else:
                found[Silence(dotted(section), rule, reason)] = path
    return found


def _written(description: Description) -> Iterator[tuple[Path, Mapping[str, str]]]:
    deployment = description.deployment
    yield (), deployment.silence
    for name, service in deployment.services.items():
        yield ("services", name), service.silence
    if deployment.sentinel:
        yield ("sentinel",), deployment.sentinel.silence


def _wrong(id_: str) -> tuple[str, str] | None:
    rule = find(id_)
    if rule is None or rule.id != id_:
        known = [each.id for each in all_rules()]
        close = difflib.get_close_matches(id_.upper(), known, n=1)
        remedy = f"did you mean '{close[0]}'?" if close else "write the one that the message ends with, such as W3"
        return "is not the identifier of a rule", remedy
    return None if rule.can_be_silenced else (f"cannot be silenced: {rule.firm}", rule.remedy)


def ways_on(problems: Iterable[Problem]) -> str:
    """Return how the errors among these are silenced whose rules allow it; empty where there are none."""
    rules = [rule for each in problems if not each.warning and (rule := find(each.rule)) and rule.can_be_silenced]
    if not rules:
        return ""
    written = ", ".join(f'{each}: "the reason"' for each in dict.fromkeys(rule.id for rule in rules))
    return f"where it is right as it is: 'silence: {{{written}}}', in the section or for the file, lets a run go on"


def heard(problems: Iterable[Problem], own: Iterable[Silence]) -> tuple[list[Problem], set[Silence]]:
    """Return the problems that no silence covers, and the silences that covered one."""
    left, used = [], set()
    for problem in problems:
        covering = {each for each in own if each.covers(problem.rule, problem.path)}
        used |= covering
        if not covering:
            left.append(problem)
    return left, used


@decides(UNUSED)
def unused(description: Description, own: Mapping[Silence, Path], used: set[Silence]) -> Iterator[Problem]:
    """Yield a warning for each silence of what the file could have told, and did not.

    What is only seen on machines may well be there.
    """
    for each, path in own.items():
        rule = find(each.rule)
        if rule and rule.needs == "file" and each not in used:
            where = f" below {each.section}" if each.section else ""
            what = f"silences {each.rule}, which finds nothing{where}"
            yield Problem(
                description.document.position(path), dotted(path), what, "take it out", UNUSED.id, warning=True
            )
