"""What the machines answered when they were observed, taken out of Ansible's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from redis_fleet.agent.codec import Message
from redis_fleet.agent.messages.observation import Observation
from redis_fleet.model import Fleet

OBSERVED = "redis_fleet_observed"
"""The variable that playbooks register the answers in."""
A = TypeVar("A", bound=Message)


def observations(fleet: Fleet, hostvars: Mapping[str, Any], name: str = OBSERVED) -> dict[str, Observation | str]:
    """Return each machine's observation, or why there is none."""
    return answers(fleet, hostvars, name, Observation)


def answers(fleet: Fleet, hostvars: Mapping[str, Any], name: str, kind: type[A]) -> dict[str, A | str]:
    """Return each machine's answer out of a variable, or why there is none."""
    return {machine: _answer(hostvars[machine].get(name), kind) for machine in fleet.machines}


def _answer(result: Any, kind: type[A]) -> A | str:
    if result is None:
        return "it was not looked at"
    if result.get("unreachable") or result.get("failed"):
        return " ".join(str(result.get("msg", "unknown")).split())
    return kind.from_json(result["answer"])
