"""Which run this is, and whether one that left a lock behind is still at work; decided on the controller."""

from __future__ import annotations

import getpass
import multiprocessing
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from redis_fleet import runlog
from redis_fleet.agent.runs.runlog import now
from redis_fleet.agent.secret import MASK
from redis_fleet.model import Fleet

if TYPE_CHECKING:
    from redis_fleet.operations.procedure import Chosen

Run = dict[str, Any]
Step = Mapping[str, Any]
State = Literal["elsewhere", "alive", "ending", "dead"]
"""Of another controller; at work; killed, but its workers go on; gone."""
_PROC = Path("/proc")
_LAST = 5
_PAUSE = 0.2


def new_run(verb: str, shared: int | None = None) -> Run:
    """Return the identity of this run: one for a whole run of ansible-playbook, asked from whichever of its workers.

    ``shared`` is a file that ansible-playbook opened before it made its first worker
    (``ActionModule._play_context.connection_lockfd``): who has it open belongs to the run. A worker that was made by
    an ansible-playbook which was killed goes on to the end of its task, in a session of its own.
    """
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent and parent.pid else os.getpid()
    return {
        "id": secrets.token_hex(8),
        "owner": f"{os.environ.get('SUDO_USER') or _user()}@{socket.gethostname()}",
        "pid": pid,
        "started": started(pid),
        "boot": boot(),
        "shared": _file(os.fstat(shared)) if shared is not None else "",
        "time": now(),
        "verb": verb,
    }


@dataclass(frozen=True)
class RunIntent:
    """What the lock and the journals want to know of a run before it changes anything.

    ``steps`` have a ``machine`` and what a journal notes of a step, see ``agent.messages.runs.LoggedStep``. ``masters``
    are by service, each with its ``master``. ``lost`` are the machines that the run does without.
    """

    run: Run
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    masters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lost: tuple[str, ...] = ()

    @classmethod
    def planned(cls, registered: Mapping[str, Any]) -> RunIntent:
        """Read it from a result that has it: a plan, or what was chosen for an operation."""
        steps = tuple({"number": number, **step} for number, step in enumerate(registered["steps"], start=1))
        notes, lost = tuple(registered["notes"]), tuple(registered.get("lost", ()))
        return cls(registered["run"], steps, notes, registered.get("masters", {}), lost)

    @classmethod
    def of_operation(cls, fleet: Fleet, chosen: Chosen, run: Run) -> RunIntent:
        """Return that of an operation: the same single step for every machine that it can reach."""
        step = {"number": 1, "stage": "roll", "process": chosen.process, "how": chosen.how, "what": chosen.what}
        steps = tuple({**step, "machine": machine, "reason": "asked for"} for machine in chosen.reachable)
        lost = tuple(machine for machine in fleet.machines if machine not in chosen.reachable)
        return cls(run, steps, lost=lost)

    def on(self, machine: str) -> tuple[Step, ...]:
        """Return the steps of one machine."""
        return tuple(step for step in self.steps if step["machine"] == machine)

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that Ansible registers, and that ``planned`` reads."""
        steps, notes, lost = list(self.steps), list(self.notes), list(self.lost)
        return {"run": self.run, "steps": steps, "notes": notes, "masters": dict(self.masters), "lost": lost}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def boot() -> str:
    """Return what is the same only for processes that see each other's pids: the kernel's boot and its pid namespace.

    Containers of one machine have the machine's boot id and pids of their own.
    """
    identity = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{identity} {(_PROC / 'self/ns/pid').readlink()}"


def started(pid: int) -> int:
    """Return when a process started, in ticks since the boot; 0 for one that is gone or a zombie, -1 if unreadable."""
    try:
        # The name in brackets may hold anything; field 3 follows the last of them, field 22 is the start (proc(5)).
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return -1 if _exists(pid) else 0
    except OSError:
        return -1
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def _exists(pid: int) -> bool:
    """Say whether a process that /proc does not show is there: with hidepid, other users' processes are not shown."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def state(run: Mapping[str, Any]) -> State:
    """Say what has become of a run, as far as this controller can tell."""
    if not run.get("boot") or run["boot"] != boot():
        return "elsewhere"
    if started(run["pid"]) in (run["started"], -1):
        return "alive"
    return "ending" if list(workers(run)) else "dead"


def workers(run: Mapping[str, Any]) -> Iterator[int]:
    """Yield the processes that outlived a killed run and have its shared file open."""
    for entry in _PROC.iterdir() if run.get("shared") else ():
        # What is older than the run has something else open.
        if entry.name.isdecimal() and started(int(entry.name)) >= run["started"] and _has(entry, run["shared"]):
            yield int(entry.name)


def _has(process: Path, file: str) -> bool:
    try:
        return b"ansible" in (process / "cmdline").read_bytes() and any(
            _file(each.stat()) == file for each in (process / "fd").iterdir() if each.exists()
        )
    except OSError:
        return False


def _file(status: os.stat_result) -> str:
    """Name an open file for ever: an inode's number is used again as soon as nobody has the file open.

    The next run's file often gets it. Nobody writes to this file, so the time of its last change stays.
    """
    return f"{status.st_dev}:{status.st_ino}:{status.st_ctime_ns}"


def at_work(journal: Path, patience: float = 60.0) -> list[str]:
    """Return the runs of the controller's journal that may still change something: what is seen from now on is not old.

    The workers of a killed run are waited for, ``patience`` seconds at most: they end with the task that they do.
    """
    deadline = time.monotonic() + patience
    begun = [run for run in runlog.read(journal, _LAST) if run["result"] is None]
    while any(state(run) == "ending" for run in begun) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return [run["run"] for run in begun if state(run) in ("alive", "ending")]


def refusal(run: Mapping[str, Any], source: str) -> str:
    """Say why a lock is refused: who has it since when, and what to do."""
    who = (
        f"{run['owner']}, run {run['id']} ({run.get('verb', '')}), since {run['time']}" if run["id"] else "nobody knows"
    )
    if state(run) == "ending":
        still = ", ".join(map(str, workers(run)))
        return (
            f"the lock is held by {who}; it was killed, but process {still} is still at work: run again when it ended"
        )
    return f"the lock is held by {who}; if that run is gone: redis-fleet unlock {source}"


def masked(fleet: Fleet, value: Any) -> Any:
    """Return texts, lists and mappings of them without any password of the fleet.

    The planner masks already; this is for what it overlooks.
    """
    given = [*(each.password for each in fleet.processes), *(each.password for each in fleet.services)]
    given += [who.password for each in fleet.processes for who in each.users.internal.values()]
    found = {password.reveal() for password in given if password}
    return _without(sorted(found - {""}, key=len, reverse=True), value)


def _without(secret: list[str], value: Any) -> Any:
    if isinstance(value, str):
        for each in secret:
            value = value.replace(each, MASK)
        return value
    if isinstance(value, Mapping):
        return {key: _without(secret, each) for key, each in value.items()}
    return [_without(secret, each) for each in value] if isinstance(value, (list, tuple)) else value
