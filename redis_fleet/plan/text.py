"""A plan in words, in the order in which it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Line = tuple[str, str]
"""A style (``plain``, ``title``, ``reason``, ``note``, ``good``) and the text."""


def lines(plan: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the lines of a plan (as ``Plan.to_dict`` gives it); refusals are the caller's to show."""
    for name, agreed in plan["masters"].items():
        if agreed["master"]:
            yield "plain", f"{name}: the master is {agreed['master']} ({agreed['source']})"
    for note in plan["notes"]:
        yield "note", f"note: {note}"
    steps = plan["steps"]
    if steps:
        yield "plain", ""
    for step in steps:
        yield from _step(step)
    if not steps and not plan["refusals"]:
        yield "good", "nothing to do"


def _step(step: Mapping[str, Any]) -> Iterator[Line]:
    """One line a change, then why, then what clients notice."""
    where = "@".join(filter(None, (step["process"], step["machine"])))
    yield "title", f"{step['number']:4}. {step['how']:<10}  {where}: {step['what']}"
    reasons = {change["reason"] for change in step["changes"]}
    for change in step["changes"]:
        place = " in its file" if change["where"] == "file" else ""
        arrow = f"'{change['found']}' → '{change['wanted']}'"
        yield "plain", f"{'':6}{change['how']:<10}  {change['directive']}{place} {arrow}"
        if len(reasons) > 1:
            yield "reason", f"{'':18}{change['reason']}"
    if len(reasons) <= 1:
        yield "reason", f"{'':18}{step['reason']}"
    if step["interruption"]:
        yield "note", f"{'':18}clients: {step['interruption']}"


def describe(plan: Mapping[str, Any]) -> str:
    """Return the text of a plan, without any style."""
    return "\n".join(text for _, text in lines(plan))
