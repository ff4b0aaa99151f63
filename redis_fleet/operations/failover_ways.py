"""The ways in which a failover drill takes the master away, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.agent.messages.holding import FREEZE, KILL, STOP


@dataclass(frozen=True)
class Way:
    """One way: what is done, as an order and as done, and what it stands for."""

    order: str
    done: str
    means: str


WAYS = {
    KILL: Way("kill", "was killed", "its process crashes (SIGKILL) and does not come back for a while"),
    STOP: Way("stop", "was stopped", "its process is stopped as a shutdown or an upgrade of its package does"),
    FREEZE: Way("freeze", "was frozen", "its process does nothing for a while (SIGSTOP), then goes on as the master"),
}
_NOT_HERE = {
    "reboot": "'stop' ends the master as a reboot does first, 'kill' as a power cut does",
    "cut": "'freeze' takes the master away as a cut network does: nobody hears of it, and it comes back as a master",
}


def wrong(how: str, *, sandbox: bool) -> str:
    """Return why a drill is not done in this way, and what to use instead; empty where it is."""
    if how in WAYS:
        return ""
    if how in _NOT_HERE:
        why = "there is no machine in a sandbox" if sandbox else "it could not be undone from here"
        return f"a drill does no '{how}': {why}; {_NOT_HERE[how]}"
    return f"'{how}' is no way to take a master away; there are {', '.join(WAYS)}"
