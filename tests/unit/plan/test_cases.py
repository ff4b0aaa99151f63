"""The plan as a table: each file of cases/plan says what was seen and which steps, refusals and notes follow.

After a change on purpose: ``REGENERATE_PLANS=1 pytest tests/unit/plan/test_cases.py``, then judge ``git diff``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from redis_fleet.plan.plan import Plan
from redis_fleet.plan.planner import plan
from redis_fleet.plan.steps import STAGES, Change
from tests.unit.cases.builder import fleet_of, observed
from tests.unit.cases.secrets import in_clear, passwords_of

CASES = sorted((Path(__file__).parents[1] / "cases" / "plan").glob("*.yml"))


class _Indented(yaml.SafeDumper):
    """Lists stand indented below their key, as everywhere in this project."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Never leave the indentation out."""
        super().increase_indent(flow, False)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_plan(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    case = yaml.safe_load(text)
    fleet = fleet_of(case["fleet"])

    made = plan(fleet, observed(fleet, case), purge=case.get("purge", False))

    if os.environ.get("REGENERATE_PLANS"):
        head = text.partition("\nexpect:")[0].rstrip("\n")
        body = yaml.dump({"expect": said(made)}, Dumper=_Indented, sort_keys=False, width=120, allow_unicode=True)
        file.write_text(f"{head}\n{body}", encoding="utf-8")
        case = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert said(made) == case["expect"]
    assert in_clear(made, passwords_of(fleet)) == [], "a plan refers to secrets, it holds none"


def said(made: Plan) -> dict[str, Any]:
    """Return a plan as the cases write it; what is empty is left out."""
    steps = [
        f"{step['stage']} {step['how']} {step['process'] + '@' if step['process'] else ''}{step['machine']}"
        + (f" follow={step['follow']}" if step["follow"] else "")
        + (f" to={step['to']}" if step["to"] else "")
        + (" joins" if step["joins"] else "")
        + (" unit" if step["unit"] else "")
        + (" purge" if step["purge"] else "")
        + (f" edit={','.join(step['edit'])}" if step["edit"] else "")
        + "".join(f" [{change['how']} {Change(**change)}]" for change in step["changes"])
        + f": {step['reason']}"
        for step in made.to_dict()["steps"]
    ]
    masters = {name: str(each.master) if each.master else "nobody knows" for name, each in sorted(made.masters.items())}
    found: dict[str, Any] = {
        "masters": masters,
        "steps": steps,
        "refusals": [str(each) for each in made.refusals],
        "notes": list(made.notes),
    }
    if made.transient:
        found["passing"] = True
    return {key: value for key, value in found.items() if value} or {"nothing": True}


def test_every_stage_is_in_some_case() -> None:
    planned = {
        step.partition(" ")[0]
        for file in CASES
        for step in yaml.safe_load(file.read_text(encoding="utf-8"))["expect"].get("steps", [])
    }
    assert planned == set(STAGES)
