"""A plan in words, grouped by machine; for a terminal without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def describe(plan: Mapping[str, Any]) -> str:
    """Return the text of a plan (as ``Plan.to_dict`` gives it)."""
    return "\n".join(_lines(plan))


def _lines(plan: Mapping[str, Any]) -> Iterator[str]:
    for name, agreed in plan["masters"].items():
        if agreed["master"]:
            yield f"{name}: the master is {agreed['master']} ({agreed['source']})"
    for note in plan["notes"]:
        yield f"note: {note}"
    for refusal in plan["refusals"]:
        yield f"refused: {refusal}"
    machines = dict.fromkeys(step["machine"] for step in plan["steps"])
    order = {id(step): number for number, step in enumerate(plan["steps"], start=1)}
    for machine in machines:
        yield f"{machine}:"
        for step in plan["steps"]:
            if step["machine"] == machine:
                yield f"  {order[id(step)]:3}. {step['what']}  [{step['reason']}]"
    if not plan["steps"] and not plan["refusals"]:
        yield "nothing to do"
