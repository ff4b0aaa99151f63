"""What comes of planning: steps in their order or refusals, and who the masters are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.steps import Step, step_to_dict


@dataclass(frozen=True)
class Agreement:
    """Who the master of a service is, and who says so (None: nobody knows, ``why`` says what is wrong).

    ``machine`` is empty for a master outside the deployment.
    """

    master: Endpoint | None
    source: str
    why: tuple[Refusal, ...] = ()
    machine: str = ""


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are done, or refusals; never both. Notes are said either way."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    masters: Mapping[str, Agreement] = field(default_factory=dict)
    machines: tuple[str, ...] = ()

    @property
    def transient(self) -> bool:
        """Whether every refusal is of a kind that passes by itself, so that it is worth looking again."""
        return bool(self.refusals) and all(refusal.transient for refusal in self.refusals)

    @property
    def disruptive(self) -> bool:
        """Whether clients may notice it."""
        return any(step.disruptive for step in self.steps)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON-able values."""
        masters = {
            name: {
                "master": str(each.master) if each.master else None,
                "machine": each.machine,
                "source": each.source,
            }
            for name, each in self.masters.items()
        }
        return {
            "steps": [{**step_to_dict(step), "number": number} for number, step in enumerate(self.steps, start=1)],
            "refusals": [str(refusal) for refusal in self.refusals],
            "refused": [refusal.to_dict() for refusal in self.refusals],
            "notes": list(self.notes),
            "masters": masters,
            "disturbs": self.disruptive,
            "passing": self.transient,
        }
