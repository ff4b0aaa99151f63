"""Explanations as text: a page for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from redis_fleet.explain.explain import Explanation
from redis_fleet.explain.version_ranges import VersionGroup
from redis_fleet.rules import Rule

WIDTH = 88
_LABEL = 11
_SCOPES = {
    "server": "redis.conf",
    "global": "sentinel.conf, for all masters",
    "master": "sentinel.conf, for each master",
}
_BELOW = {"server": "below a service's 'config:'", "global": "below 'config:' of 'sentinel:'"}
_NEEDS = {
    "file": "the description alone",
    "machine": "a machine's memory, cores, disks and kernel settings",
    "plan": "what runs, when a change is planned",
}
Line = tuple[str, str]


def page(explanations: Sequence[Explanation]) -> Iterator[Line]:
    """Yield the lines of a page, each with its style: ``title`` or ``plain``.

    What sentinel.conf has in common with redis.conf is said once.
    """
    first: Explanation | None = None
    for explanation in explanations:
        if first is not None:
            yield "plain", ""
        common = first is not None and first.does == explanation.does
        yield from _explanation(explanation, first if common else None)
        first = first or explanation


def rule_page(rule: Rule) -> Iterator[Line]:
    """Yield the lines of a page about a rule, as ``page``."""
    yield "title", f"{rule.id}  {rule.title}"
    yield "plain", ""
    yield from _field("Severity", (severity(rule),))
    yield from _field("Why", (rule.reason,))
    yield from _field("Source", (rule.source,))
    yield from _field("Fix", (rule.remedy,))
    yield from _field("Judged by", (judged_by(rule),))
    yield from _field("Silence", (silencing(rule),))
    yield from _field("About", (", ".join(rule.directives),) if rule.directives else ())


def outline(names: Iterable[tuple[str, Sequence[str]]]) -> Iterator[Line]:
    """Yield sections with their names, wrapped."""
    for title, own in names:
        yield "title", title
        for line in textwrap.wrap("  ".join(own), WIDTH - 2, break_on_hyphens=False, break_long_words=False):
            yield "plain", f"  {line}"


def grouped(groups: Sequence[VersionGroup]) -> tuple[str, ...]:
    """Return groups as lines: ``no (redis until 6.2)``."""
    return tuple(f"{each.text} ({each.where})" if each.where else each.text for each in groups)


def since(explanation: Explanation) -> str:
    """Return which versions know a directive, in words."""
    return ", ".join(span.text for span in explanation.known)


def severity(rule: Rule) -> str:
    """Return what a rule does to a deployment."""
    return "error: nothing is deployed" if rule.severity == "error" else "warning: stops only with --strict"


def judged_by(rule: Rule) -> str:
    """Return what a rule looks at, and who does it when no function of ours can."""
    return f"{_NEEDS[rule.needs]}; {rule.elsewhere}" if rule.elsewhere else _NEEDS[rule.needs]


def silencing(rule: Rule) -> str:
    """Return whether a rule can be silenced, and how or why not."""
    return f"cannot be: {rule.firm}" if rule.firm else f"by its identifier, with a reason:  silence: {{{rule.id}: …}}"


def _explanation(explanation: Explanation, common: Explanation | None) -> Iterator[Line]:
    known_as = f" ({explanation.asked} is an alias)" if explanation.asked and not common else ""
    yield "title", f"{explanation.name}{known_as}  {_SCOPES[explanation.scope]}"
    if common is None:
        for line in textwrap.wrap(explanation.does, WIDTH):
            yield "plain", line
    yield "plain", ""
    for label, values in _fields(explanation):
        if common is None or values != dict(_fields(common)).get(label):
            yield from _field(label, values)


def _fields(explanation: Explanation) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "Costs", (explanation.costs,)
    yield "Value", (*grouped(explanation.value), *explanation.notes)
    yield "Default", grouped(explanation.default)
    yield "Change", grouped(explanation.change)
    yield "Known to", (since(explanation),)
    yield "Names", explanation.names
    yield "Section", (explanation.section,) if explanation.scope == "server" else ()
    yield "Unit", (f"allows {explanation.unit}",) if explanation.unit else ()
    yield "In YAML", _in_yaml(explanation)
    yield "Rules", tuple(f"{rule.id}  {rule.title}" for rule in explanation.rules)


def _in_yaml(explanation: Explanation) -> tuple[str, ...]:
    if explanation.place:
        return (explanation.place, explanation.example) if explanation.example else (explanation.place,)
    below = _BELOW.get(explanation.scope, _BELOW["global"])
    return (f"{explanation.example}   ({below})",) if explanation.example else (below,)


def _field(label: str, values: Sequence[str]) -> Iterator[Line]:
    for place, value in enumerate(values):
        head = f"  {label if place == 0 else '':<{_LABEL}}"
        lines = textwrap.wrap(
            value,
            WIDTH,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_on_hyphens=False,
            break_long_words=False,
        )
        for line in lines:
            yield "plain", line
