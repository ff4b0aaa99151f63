"""Try what a deployment would write with the servers that will read it; a second task judges what all of them said."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.messages.config_test import ConfigTest
from redis_fleet.ansible.agent import read, result_of
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.events import in_front
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.runs import masked
from redis_fleet.config_test.complaints import CandidateTested, problems
from redis_fleet.config_test.texts import candidates, planned, request
from redis_fleet.description.load import load
from redis_fleet.description.nodes import Document, Path
from redis_fleet.model import Fleet
from redis_fleet.plan.refusal import Refusal
from redis_fleet.problems import Position, Problem

DOCUMENTATION = """
module: redis_fleet_trial
short_description: Try what a deployment would write with the servers that will read it, or judge what they said
description:
  - Without tried one round trip, for all processes of this machine that the plan starts, restarts or
    changes. Nothing is changed.
options:
  tried:
    description: The name of the variable with the answers of all machines; every complaint of them is a refusal.
    type: str
  said:
    description: What a refusal says was not done yet.
    type: str
    default: nothing was changed
  seconds:
    description: How long one server may take to start.
    type: float
    default: 10
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Changes nothing, in check mode or not."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Try, or judge."""
        super().run(tmp, task_vars)
        given = arguments(self, DOCUMENTATION)
        fleet, steps = fleet_of(task_vars), task_vars["redis_fleet_planned"]["steps"]
        if given["tried"]:
            return self._judge(fleet, list(_findings(fleet, steps, task_vars, given["tried"])), given["said"])
        machine = task_vars["inventory_hostname"]
        asked = request(fleet, candidates(fleet, planned(fleet, machine, steps)), seconds=given["seconds"])
        return result_of(self, asked, task_vars)

    def _judge(self, fleet: Fleet, findings: list[CandidateTested], said: str) -> dict[str, Any]:
        found = [
            replace(each, position=_from_here(each.position)) for each in problems(findings, _Places(fleet.source))
        ]
        refusals = [masked(fleet, str(each)) for each in found]
        reasons = [(each.machine, each.answer.untried) for each in findings if each.answer.untried]
        notes = [f"the files for {machine} were not tried: {why}" for machine, why in dict.fromkeys(reasons)]
        if notes and not in_front():
            self._display.display("\n".join(f"note: {each}" for each in notes))
        if not refusals:
            return {"changed": False, "notes": notes}
        words = "\n".join((f"{said}:", *(f"REFUSED  {each}" for each in refusals)))
        refused = [masked(fleet, _refusal(each).to_dict()) for each in found]
        result = {"changed": False, "failed": True, "steps": [], "refusals": refusals, "refused": refused}
        return {**result, "notes": notes, "msg": words}


class _Places:
    """Where a path of the description stands; it is read again only when somebody asks."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __call__(self, path: Path) -> Position:
        return self._document.position(path)

    @cached_property
    def _document(self) -> Document:
        return load(self._source).document


def _refusal(problem: Problem) -> Refusal:
    place = f"{problem.position}: {problem.path}" if problem.path else str(problem.position)
    return Refusal("file-refused", place, problem.what, problem.remedy, problem.rule)


def _findings(fleet: Fleet, steps: Any, task_vars: Any, name: str) -> Iterator[CandidateTested]:
    for machine in fleet.machines:
        result: Mapping[str, Any] = task_vars["hostvars"][machine].get(name) or {}
        told = {each.name: each for each in read(ConfigTest, result).results} if "answer" in result else {}
        for candidate in candidates(fleet, planned(fleet, machine, steps)) if told else ():
            if candidate.process.name in told:
                yield CandidateTested(candidate, machine, told[candidate.process.name])


def _from_here(position: Position) -> Position:
    """Return a position whose file is named as from the working folder, when it lies below."""
    relative = os.path.relpath(position.file)
    return position if relative.startswith("..") else replace(position, file=relative)
