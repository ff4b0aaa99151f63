"""The steps of a plan: each kind of step is a class of its own, with what that kind needs and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, get_args

from redis_fleet.agent.messages.orders import Order
from redis_fleet.plan import orders

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
    "reconnect",
    "password_end",
    "user_end",
    "watch",
    "roll",
    "settle",
]
"""What is started gives the new password at once: so what runs takes it before. All files are written before the first
Sentinel starts, and no Sentinel starts before every server is ready. What is in ``roll``, or disconnects
somebody (``reconnect``, ``user_end``), is done one step after the other, over all machines."""
STAGES: tuple[Stage, ...] = get_args(Stage)


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
class Prepare:
    """Make a machine ready for processes."""

    machine: str
    what: str
    reason: str

    process: ClassVar[str] = ""
    stage: ClassVar[Stage] = "prepare"
    how: ClassVar[How] = "PREPARE"
    disruptive: ClassVar[bool] = False


@dataclass(frozen=True)
class _OfProcess:
    """What every step on a process has: where, what is done in words, and why.

    A class has a ``stage`` and a ``how``; ``disruptive``: it takes a process down or moves a master, so that somebody
    should agree first.
    """

    machine: str
    process: str
    what: str
    reason: str

    disruptive: ClassVar[bool] = False


@dataclass(frozen=True)
class WriteFiles(_OfProcess):
    """Write all files of a process that never ran.

    ``joins_running_sentinels``: it is a Sentinel beside others that run already, so its file names today's masters.
    """

    joins_running_sentinels: bool = False

    stage: ClassVar[Stage] = "write"
    how: ClassVar[How] = "START"
    unit: ClassVar[bool] = False


@dataclass(frozen=True)
class WriteUnit(_OfProcess):
    """Write the unit of a process; LIVE where that runs on meanwhile."""

    how: How = "START"

    stage: ClassVar[Stage] = "write"
    unit: ClassVar[bool] = True


@dataclass(frozen=True)
class WriteCertificate(_OfProcess):
    """Write the certificate of a process that is down, its key, and whom it believes."""

    stage: ClassVar[Stage] = "write"
    how: ClassVar[How] = "START"
    unit: ClassVar[bool] = False
    certificate: ClassVar[bool] = True


@dataclass(frozen=True)
class Start(_OfProcess):
    """Start a process.

    ``follow`` is set where its file names another master than the agreed one: ``"none"`` (it is the master) or
    ``"ADDRESS PORT"``. ``edit`` are the settings to bring into the file before, for the ``changes``.
    """

    stage: Stage
    follow: str = ""
    first_start: bool = False
    changes: tuple[Change, ...] = ()
    edit: tuple[str, ...] = ()

    how: ClassVar[How] = "START"


@dataclass(frozen=True)
class ChangeLive(_OfProcess):
    """Give a running process its ``orders``, for the ``changes``; ``expect`` is the role that it must have then."""

    stage: Stage
    changes: tuple[Change, ...] = ()
    orders: tuple[Order, ...] = ()
    expect: str = ""

    how: ClassVar[How] = "LIVE"


@dataclass(frozen=True)
class FinishSwitchover(_OfProcess):
    """Make an old master a replica of the new one; ``interruption`` says what clients notice."""

    orders: tuple[Order, ...]
    expect: str
    interruption: str

    stage: ClassVar[Stage] = "live_replicas"
    how: ClassVar[How] = "LIVE"


@dataclass(frozen=True)
class Confirm(_OfProcess):
    """Put back at the end of the run, when all is in step, what a first deployment left otherwise."""

    stage: ClassVar[Stage] = "settle"
    how: ClassVar[How] = "LIVE"


@dataclass(frozen=True)
class Restart(_OfProcess):
    """Restart a process, with ``edit`` brought into its file, its ``unit`` or its ``certificate`` written meanwhile.

    ``expect`` is the role that it must have before; ``follow`` as in ``Start``; ``interruption`` says what clients
    notice; ``service`` is empty for a process that belongs to none.
    """

    expect: str
    interruption: str
    changes: tuple[Change, ...] = ()
    edit: tuple[str, ...] = ()
    unit: bool = False
    certificate: bool = False
    follow: str = ""
    service: str = ""

    stage: ClassVar[Stage] = "roll"
    how: ClassVar[How] = "RESTART"
    disruptive: ClassVar[bool] = True


@dataclass(frozen=True)
class Switchover(_OfProcess):
    """Make ``to``, a process's id, the master of ``service``; ``interruption`` says what clients notice."""

    service: str
    to: str
    interruption: str

    stage: ClassVar[Stage] = "roll"
    how: ClassVar[How] = "SWITCHOVER"
    disruptive: ClassVar[bool] = True


@dataclass(frozen=True)
class Decommission(_OfProcess):
    """Stop a process that is no longer described and keep it from coming back; with ``purge`` its data goes."""

    interruption: str = ""
    purge: bool = False

    stage: ClassVar[Stage] = "roll"
    how: ClassVar[How] = "STOP"
    disruptive: ClassVar[bool] = True


@dataclass(frozen=True)
class ForgetDeparted(_OfProcess):
    """Have a Sentinel forget what left ``service``."""

    orders: tuple[Order, ...]
    service: str

    stage: ClassVar[Stage] = "roll"
    how: ClassVar[How] = "FORGET"


Step = (
    Prepare
    | WriteFiles
    | WriteUnit
    | WriteCertificate
    | Start
    | ChangeLive
    | FinishSwitchover
    | Confirm
    | Restart
    | Switchover
    | Decommission
    | ForgetDeparted
)

# The keys of a step's JSON: every step has each of them, with this where its kind has no such thing.
_USUAL: Mapping[str, Any] = {
    **dict.fromkeys(("stage", "machine", "process", "what", "reason", "follow"), ""),
    **dict.fromkeys(("fresh", "joins"), False),
    "how": "",
    **dict.fromkeys(("changes", "orders", "edit"), ()),
    "unit": False,
    "certificate": False,
    **dict.fromkeys(("expect", "interruption", "service", "to"), ""),
    "purge": False,
}
_NAMES = {"fresh": "first_start", "joins": "joins_running_sentinels"}


def step_to_dict(step: Step) -> dict[str, Any]:
    """Return a step as JSON-able values, with the same keys whatever its kind."""
    found = {key: getattr(step, _NAMES.get(key, key), usual) for key, usual in _USUAL.items()}
    found["changes"] = [asdict(change) for change in found["changes"]]
    found["orders"] = [orders.to_dict(order) for order in found["orders"]]
    return found
