"""The list of all drills, whichever command runs them."""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.drills.drill import all_drills


@dataclass(frozen=True)
class Listed:
    """A drill as the list has it; see ``drills.drill.Drill``. ``run`` is the command that runs it."""

    name: str
    title: str
    on: str
    disturbs: str
    more: str
    run: str


# A playbook does it, with its own client on the machines: it needs no drill's notebook and shows no commands.
FAILOVER = "failover"
_VERIFICATIONS = (
    Listed(
        name=FAILOVER,
        title="What clients notice of a failover",
        on="deployment",
        disturbs="the master is killed, stopped or frozen once (--how); the Sentinels replace it",
        more="",
        run="redis-fleet drill failover, or verify --drill failover",
    ),
)


def listed() -> tuple[Listed, ...]:
    """Return every drill there is: those of ``redis-fleet drill``, in their order, then those of a verification."""
    own = (
        Listed(each.name, each.title, each.on, each.disturbs, each.more, f"redis-fleet drill {each.name}")
        for each in all_drills()
    )
    return (*own, *_VERIFICATIONS)
