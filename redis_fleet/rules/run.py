"""All rules applied to a file that was placed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redis_fleet.description.load import Description
from redis_fleet.description.nodes import dotted
from redis_fleet.model import Fleet, Silence
from redis_fleet.problems import Problem
from redis_fleet.rules import all_rules
from redis_fleet.rules.rule import Finder, Rule, finders
from redis_fleet.rules.silence import heard, silences, unused
from redis_fleet.rules.subject import Subject


@dataclass(frozen=True)
class RuleResults:
    """What keeps a file from being used, what does not, and what it silences."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    silences: tuple[Silence, ...]


def apply_rules(description: Description, fleet: Fleet) -> RuleResults:
    """Apply every rule, and the file's own silences to all that was found, the earlier problems included.

    A sandbox has none of the addresses, folders and units that most warnings are about: there are only errors there.
    """
    own = silences(description)
    subject = Subject(description, fleet)
    all_rules()
    kept = {rule: find for rule, find in finders().items() if rule.severity == "error" or fleet.sandbox is None}
    found = [problem for rule, find in kept.items() for problem in _apply(rule, find, subject)]
    left, used = heard([*description.problems, *found], own)
    warnings = {problem for problem in left if problem.warning}
    if fleet.sandbox is None:
        warnings.update(unused(description, own, used))
    errors = {problem for problem in left if not problem.warning}
    return RuleResults(tuple(sorted(errors, key=_place)), tuple(sorted(warnings, key=_place)), tuple(own))


def _place(problem: Problem) -> tuple[int, int, str, str, str]:
    # As problems sort by themselves, where there is one file; much faster.
    return (problem.position.line, problem.position.column, problem.path, problem.what, problem.rule)


def _apply(rule: Rule, find: Finder, subject: Subject) -> Iterator[Problem]:
    warning = rule.severity == "warning"
    document = subject.description.document
    for finding in find(subject):
        position = finding.position or document.position(finding.path)
        remedy = finding.remedy or rule.remedy
        yield Problem(position, dotted(finding.path), finding.what, remedy, rule.id, warning)
