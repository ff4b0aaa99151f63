"""What a plan is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from redis_fleet.model import Endpoint

Stage = Literal["prepare", "write", "start_masters", "start_replicas", "start_sentinels", "settle"]
STAGES: tuple[Stage, ...] = ("prepare", "write", "start_masters", "start_replicas", "start_sentinels", "settle")

# Which play does a stage. All files are written before the first Sentinel starts, and a replica waits for its master by
# itself: so writing and starting servers is one round trip. No Sentinel starts before every server is ready.
GROUPS: dict[Stage, str] = {
    "prepare": "redis_fleet_prepare",
    "write": "redis_fleet_start_servers",
    "start_masters": "redis_fleet_start_servers",
    "start_replicas": "redis_fleet_start_servers",
    "start_sentinels": "redis_fleet_start_sentinels",
    "settle": "redis_fleet_confirm",
}


@dataclass(frozen=True)
class Step:
    """One thing to do on one machine, and why; ``process`` is empty when it concerns the machine.

    ``follow`` is set on a process that is started again and whose file names another master than the agreed one:
    ``"none"`` (it is the master) or ``"ADDRESS PORT"``. ``fresh``: it is started for the first time.
    """

    stage: Stage
    machine: str
    process: str
    what: str
    reason: str
    follow: str = ""
    fresh: bool = False


@dataclass(frozen=True)
class Agreement:
    """Who the master of a service is, and who says so (None: nobody knows, ``why`` says what is wrong).

    ``machine`` is empty for a master outside the deployment.
    """

    master: Endpoint | None
    source: str
    why: tuple[str, ...] = ()
    machine: str = ""


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are done, or refusals; never both. Notes are said either way."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    masters: Mapping[str, Agreement] = field(default_factory=dict)
    machines: tuple[str, ...] = ()

    def groups(self) -> list[dict[str, str]]:
        """Return which machine takes part in which stage, once each: what the playbook's plays run over."""
        pairs = dict.fromkeys((step.machine, GROUPS[step.stage]) for step in self.steps)
        groups = [{"machine": machine, "group": group} for machine, group in pairs]
        # A change on one machine is confirmed on all: its replicas and Sentinels are elsewhere.
        confirm = [{"machine": name, "group": GROUPS["settle"]} for name in self.machines if groups]
        return [group for group in groups if group not in confirm] + confirm

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
            "steps": [asdict(step) for step in self.steps],
            "refusals": list(self.refusals),
            "notes": list(self.notes),
            "groups": self.groups(),
            "masters": masters,
        }
