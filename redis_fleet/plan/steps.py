"""What a plan is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.orders import Order
from redis_fleet.plan import orders
from redis_fleet.plan.refusal import Refusal

How = Literal["PREPARE", "START", "LIVE", "RESTART", "SWITCHOVER", "STOP", "FORGET", "REFUSED"]
"""What happens: LIVE leaves the process running, RESTART takes it down for a moment, SWITCHOVER moves the master."""

Stage = Literal[
    "prepare",
    "password_add",
    "write",
    "start_masters",
    "start_replicas",
    "start_sentinels",
    "live_replicas",
    "live_masters",
    "password_use",
    "password_end",
    "watch",
    "roll",
    "settle",
]
STAGES: tuple[Stage, ...] = get_args(Stage)

# Which play does a stage. What is started gives the new password at once: so what runs takes it before. All files are
# written before the first Sentinel starts, and a replica waits for its master by itself: so writing and starting
# servers is one round trip. No Sentinel starts before every server is ready. What is in ``roll`` is done one step after
# the other, over all machines.
GROUPS: dict[Stage, str] = {
    "prepare": "redis_fleet_prepare",
    "password_add": "redis_fleet_password_add",
    "write": "redis_fleet_start_servers",
    "start_masters": "redis_fleet_start_servers",
    "start_replicas": "redis_fleet_start_servers",
    "start_sentinels": "redis_fleet_start_sentinels",
    "live_replicas": "redis_fleet_live_replicas",
    "live_masters": "redis_fleet_live_masters",
    "password_use": "redis_fleet_password_use",
    "password_end": "redis_fleet_password_end",
    "watch": "redis_fleet_watch",
    "roll": "redis_fleet_roll",
    "settle": "redis_fleet_confirm",
}


@dataclass(frozen=True)
class Change:
    """One directive of one process: as described and as found (both as shown, secrets masked), and how it is applied.

    ``where`` is what differs: the ``running`` process or only its ``file``.
    """

    directive: str
    wanted: str
    found: str
    how: How = "LIVE"
    reason: str = ""
    where: Literal["running", "file"] = "running"

    def __str__(self) -> str:
        """Return ``maxmemory '0' → '100mb'``."""
        place = " in its file" if self.where == "file" else ""
        return f"{self.directive}{place} '{self.found}' → '{self.wanted}'"


@dataclass(frozen=True)
class Step:
    """One thing to do on one machine, and why; ``process`` is empty when it concerns the machine.

    ``changes`` are the directives that it changes, ``orders`` what is done to a running process. ``follow`` is set on a
    process that is started and whose file names another master than the agreed one: ``"none"`` (it is the master) or
    ``"ADDRESS PORT"``. ``fresh``: it is started for the first time; ``joins``: as a Sentinel beside others that run
    already, so that its file names today's masters. ``edit`` are the settings to bring into the file
    while the process is down. ``expect`` is the role that it must have when the step begins. ``interruption`` says what
    clients notice, empty for nothing. ``service`` and ``to`` (a process's id) belong to a switchover.
    """

    stage: Stage
    machine: str
    process: str
    what: str
    reason: str
    follow: str = ""
    fresh: bool = False
    joins: bool = False
    how: How = "START"
    changes: tuple[Change, ...] = ()
    orders: tuple[Order, ...] = ()
    edit: tuple[str, ...] = ()
    unit: bool = False
    expect: str = ""
    interruption: str = ""
    service: str = ""
    to: str = ""
    purge: bool = False

    @property
    def disturbs(self) -> bool:
        """Whether it takes a process down or moves a master: somebody should agree first."""
        return self.how in ("RESTART", "SWITCHOVER", "STOP")


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
    def disturbs(self) -> bool:
        """Whether clients may notice it."""
        return any(step.disturbs for step in self.steps)

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
            "steps": [
                {**asdict(step), "orders": [orders.to_dict(order) for order in step.orders], "number": number}
                for number, step in enumerate(self.steps, start=1)
            ],
            "refusals": [str(refusal) for refusal in self.refusals],
            "refused": [refusal.to_dict() for refusal in self.refusals],
            "notes": list(self.notes),
            "groups": self.groups(),
            "masters": masters,
            "disturbs": self.disturbs,
            "passing": self.transient,
        }
