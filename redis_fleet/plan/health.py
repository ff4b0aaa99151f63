"""Everything that is wrong with a deployment: what its processes say, and what is not as it is described. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from redis_fleet.agent.replication.health import Trouble
from redis_fleet.model import Fleet
from redis_fleet.observe.facts import Observed
from redis_fleet.observe.health import deployment_troubles
from redis_fleet.plan.planner import plan
from redis_fleet.plan.steps import Change, Step

_REMEDY = "see 'redis-fleet plan'"
# Stages in which a process that is down is started: that it is down is told already.
_STARTS = ("START",)


def everything_wrong(fleet: Fleet, seen: Observed, now: float) -> list[Trouble]:
    """Return all troubles; nothing where all is well. ``now`` is in seconds since 1970."""
    found = deployment_troubles(fleet, seen, now)
    return [*found, *_differences(fleet, seen, told=bool(found))]


def _differences(fleet: Fleet, seen: Observed, *, told: bool) -> Iterator[Trouble]:
    """Yield what a deployment would put right, and why it could not where nothing else says so."""
    made = plan(fleet, seen)
    if not any(seen.of(process).deployed for process in fleet.processes):
        return
    for refusal in made.refusals:
        if refusal.code == "directive-refused":
            yield Trouble("differs", refusal.subject, refusal.what, refusal.remedy)
        elif not told:
            yield Trouble(refusal.code, refusal.subject, refusal.what, refusal.remedy)
    for step in made.steps:
        yield from _of_step(step)


def _of_step(step: Step) -> Iterator[Trouble]:
    subject = f"{step.process}@{step.machine}" if step.process else step.machine
    changes: tuple[Change, ...] = getattr(step, "changes", ())
    for change in changes:
        yield Trouble("differs", subject, f"is not as described: {change}", _REMEDY)
    if not changes and step.how not in _STARTS:
        yield Trouble("to-do", subject, f"is not as described: {step.what} ({step.reason})", _REMEDY)


def concerns(fleet: Fleet, services: Collection[str], trouble: Trouble) -> bool:
    """Say whether a trouble is about one of these services, the Sentinels or a machine."""
    left = [each for each in fleet.services if each.name not in services]
    others = {each.name for each in left} | {each.id for service in left for each in service.processes}
    return trouble.subject not in others
