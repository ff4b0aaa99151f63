"""A plan in words, grouped by machine; the numbers give the order over all machines."""

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
    steps = list(enumerate(plan["steps"], start=1))
    for machine in dict.fromkeys(step["machine"] for _, step in steps):
        yield "title", f"\n{machine}"
        for number, step in steps:
            if step["machine"] == machine:
                yield "plain", f"{number:4}. {step['what']}"
                yield "reason", f"      {step['reason']}"
    if not steps and not plan["refusals"]:
        yield "good", "nothing to do"


def describe(plan: Mapping[str, Any]) -> str:
    """Return the text of a plan, without any style."""
    return "\n".join(text for _, text in lines(plan))
