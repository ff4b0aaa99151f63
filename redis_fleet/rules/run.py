"""All rules applied to a file that was placed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redis_fleet.description.load import Description
from redis_fleet.description.nodes import dotted
from redis_fleet.model import Fleet, Silence
from redis_fleet.problems import Problem
from redis_fleet.rules import all_rules
from redis_fleet.rules.rule import Rule
from redis_fleet.rules.silence import heard, silences, unused
from redis_fleet.rules.subject import Subject


@dataclass(frozen=True)
class Verdict:
    """What keeps a file from being used, what does not, and what it silences."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    silences: tuple[Silence, ...]


def verdict(description: Description, fleet: Fleet) -> Verdict:
    """Apply every rule, and the file's own silences to all that was found, the earlier problems included.

    A sandbox has none of the addresses, folders and units that most warnings are about: there are only errors there.
    """
    own = silences(description)
    subject = Subject(description, fleet)
    rules = [rule for rule in all_rules() if rule.check and (rule.severity == "error" or fleet.sandbox is None)]
    found = [problem for rule in rules for problem in _apply(rule, subject)]
    left, used = heard([*description.problems, *found], own)
    warnings = {problem for problem in left if problem.warning}
    if fleet.sandbox is None:
        warnings.update(unused(description, own, used))
    errors = {problem for problem in left if not problem.warning}
    return Verdict(tuple(sorted(errors, key=_place)), tuple(sorted(warnings, key=_place)), tuple(own))


def _place(problem: Problem) -> tuple[int, int, str, str, str]:
    # As problems sort by themselves, where there is one file; much faster.
    return (problem.position.line, problem.position.column, problem.path, problem.what, problem.rule)


def _apply(rule: Rule, subject: Subject) -> Iterator[Problem]:
    assert rule.check is not None
    warning = rule.severity == "warning"
    document = subject.description.document
    for finding in rule.check(subject):
        position = finding.position or document.position(finding.path)
        remedy = finding.remedy or rule.remedy
        yield Problem(position, dotted(finding.path), finding.what, remedy, rule.id, warning)
