"""A deployment or a switchover in a process of its own, in the middle of which something happens.

The moments are counted in commands that change something: just before the one with the number of a ``Fate`` the
process itself dies, or something else is done to the service, and it goes on with whatever it then finds.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.handover import Handover
from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.agent.messages.usual_values import Described
from redis_fleet.agent.protocol.resp import ReplyError, pairs
from redis_fleet.agent.replication import handover
from redis_fleet.agent.replication.agreement import name_of
from redis_fleet.agent.replication.connections import Servers
from redis_fleet.agent.replication.fence import FENCE, MIN_REPLICAS
from redis_fleet.agent.replication.view import view
from redis_fleet.agent.replication.voter import TIMEOUT
from redis_fleet.model import Fleet
from tests.lives import deploying, mutants
from tests.lives.living import FailedError
from tests.lives.meddling import Fate, Meddler

BOUNDS = {"deploy": 40.0, "switchover": 40.0}
"""Seconds. Whoever takes longer is killed: somebody lost patience."""
_STARTING = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Outcome:
    """What came of an errand: ``code`` is ok, refused, passing (refused for now), failed or killed.

    ``began`` is the wall clock of its first change, 0: it changed nothing. ``struck``: its fate came. ``broken`` is
    what was wrong at the very end of a hand-over that said that all is well, each a sentence. ``untrue``: a server was
    announced as the master that was none, or the old master was left refusing all writes. ``promoting``: it had come
    to a promotion.
    """

    code: str
    said: str = ""
    began: float = 0.0
    struck: bool = False
    promoting: bool = False
    broken: tuple[str, ...] = ()
    untrue: str = ""
    master: str = ""


def prepare() -> None:
    """Let the next processes begin with everything imported."""
    _STARTING.set_forkserver_preload(["tests.lives.warm"])


def run(fleet: Fleet, what: str, to: str | None, by: str, fate: Fate | None, mutant: str) -> Outcome:
    """Run ``deploy`` or ``switchover`` to its end, for a bounded time."""
    near, far = _STARTING.Pipe(duplex=False)
    process = _STARTING.Process(target=_perform, args=(far, fleet, what, to, by, fate, mutant), daemon=True)
    process.start()
    far.close()
    told: dict[str, Any] = {"code": "killed", "said": "it died"}
    deadline = time.monotonic() + BOUNDS[what]
    try:
        while near.poll(max(0.0, deadline - time.monotonic())):
            told |= near.recv()
        told["said"] = f"it had not ended after {BOUNDS[what]:g} s"
    except EOFError:
        pass
    finally:
        process.kill()
        process.join()
    return Outcome(**told)


def _perform(far: Any, fleet: Fleet, what: str, to: str | None, by: str, fate: Fate | None, mutant: str) -> None:
    os.setsid()
    mutants.apply(mutant)
    Meddler(fate, far.send, fleet.services[0].password).install()
    broken: list[str] = []
    _see_that_it_is_done(broken, far.send)
    try:
        if what == "deploy":
            steps = deploying.deploy(fleet)
            far.send({"code": "ok", "said": f"{steps} steps"})
        else:
            report = deploying.switch(fleet, to, by)
            code = "ok" if report.ok else "refused" if report.undone else "failed"
            far.send({"code": code, "said": "; ".join(report.problems), "master": report.new_master})
    except FailedError as error:
        far.send({"code": "passing" if error.passes else "refused" if error.refused else "failed", "said": str(error)})
    except RuntimeError as error:
        far.send({"code": "failed", "said": str(error)})
    far.send({"broken": tuple(broken)})
    far.close()


def _see_that_it_is_done(broken: list[str], tell: Callable[[dict[str, Any]], None]) -> None:
    """After every hand-over that says that all is well, or that promoted nobody, look at once."""
    usual = handover.hand_over

    def looked(
        target: ServiceAccess, old: str, new: str, described: Described, *, elect: bool = False, **more: Any
    ) -> Handover:
        outcome = usual(target, old, new, described, elect=elect, **more)
        if outcome.master and not outcome.problems:
            broken.extend(_undone(target, outcome.master, old, described, elect=elect))
        if not outcome.master and _fenced(target, old):
            tell({"untrue": f"{old} is still the master and was left fenced"})
        return outcome

    handover.hand_over = looked  # whoever wants it takes it from there when it is asked


def _fenced(target: ServiceAccess, name: str) -> bool:
    """Whether a master that can be reached refuses all writes."""
    try:
        with Servers(target) as servers:
            return servers.is_master(name) and servers.get(name, MIN_REPLICAS) == str(FENCE)
    except (OSError, ReplyError):
        return False


def _undone(target: ServiceAccess, master: str, old: str, described: Described, *, elect: bool) -> list[str]:
    seen = view(target)
    roles = {each.id: (each.role, name_of(target, each.follows) if each.follows else "") for each in seen.members}
    found = []
    if roles[master][0] != "master":
        found.append(f"{master}, said to be the master, is a {roles[master]}")
    if roles[old] != ("replica", master):
        found.append(f"{old}, handed over from, is {roles[old]}, not a replica of {master}")
    for name, (role, follows) in roles.items() if elect else ():
        if role == "replica" and name != old and follows != master:
            found.append(f"{name} follows {follows} after it, not {master}")
    with Servers(target) as servers:
        for name in (master, old):
            usual = described[name].min_replicas or "0"
            if servers.get(name, MIN_REPLICAS) != usual:
                found.append(f"{name} has {MIN_REPLICAS} {servers.get(name, MIN_REPLICAS)} after it, not {usual}")
    for one in seen.sentinels if elect else ():
        if not one.problem and name_of(target, one.master) != master:
            found.append(f"{one.id} names {name_of(target, one.master)} after an election for {master}")
    return found + (_timeouts(target) if elect else [])


def _timeouts(target: ServiceAccess) -> list[str]:
    said = set()
    for node in target.sentinels:
        try:
            with connect(target.access(node), 1.0) as connection:
                said.add(pairs(connection.call("SENTINEL", "MASTER", target.monitor))[TIMEOUT])
        except (OSError, ReplyError):
            continue
    return [f"the Sentinels have {TIMEOUT} {sorted(said)} after it"] if "1000" in said else []


def at(place: Endpoint, access: Access) -> Access:
    """Return the way to another place with the same secret."""
    return Access(place, access.secret)
