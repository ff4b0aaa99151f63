"""How Sentinels elect: what is asked of them, what their answers mean, and how a result is announced. Pure.

Source: sentinel.c of Redis and Valkey (sentinelCommand, sentinelVoteLeader, sentinelProcessHelloMessage); tried on
Redis 6.0, 7.0, 8.0 and Valkey 8.1, 9.1. A Sentinel votes once an epoch, for whoever asks first, whether or not it
finds the master down; whoever has the votes of a majority may name the new master for that epoch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..endpoint import Endpoint
from ..protocol.resp import Reply
from .agreement import majority

HELLO = "__sentinel__:hello"
"""The channel of announcements. Published to a Sentinel itself, a message is taken at once."""
_NOBODY = "*"


@dataclass(frozen=True)
class Vote:
    """Whom a Sentinel has voted for (40 digits, empty: nobody that it would name), and in which epoch."""

    leader: str
    epoch: int


def question(master: Endpoint, epoch: int, candidate: str) -> tuple[object, ...]:
    """Return the command that asks a Sentinel for its vote on the successor of a master."""
    return "SENTINEL", "IS-MASTER-DOWN-BY-ADDR", master.address, master.port, epoch, candidate


def last_vote(master: Endpoint, candidate: str) -> tuple[object, ...]:
    """Return the command that asks a Sentinel for its last vote: there is none to be given for the epoch 0."""
    return question(master, 0, candidate)


def vote(reply: Reply) -> Vote:
    """Read the answer to ``question``; raises ValueError for what is none."""
    if not isinstance(reply, list) or len(reply) != 3:
        raise ValueError(f"not a vote: {reply!r}")
    return Vote("" if reply[1] == _NOBODY else str(reply[1]), int(reply[2]))


def needed(sentinels: int, quorum: int) -> int:
    """Return how many votes win: a majority, and the quorum where that is more, as among Sentinels themselves."""
    return max(majority(sentinels), quorum)


def won(votes: Iterable[Vote], candidate: str, epoch: int) -> int:
    """Return how many voted for a candidate in an epoch."""
    return sum(each == Vote(candidate, epoch) for each in votes)


def next_epoch(votes: Iterable[Vote], epoch: int, tries: int) -> int:
    """Return the epoch to ask for where nobody won one, after so many ``tries`` (from 1).

    A Sentinel votes for no epoch below the newest that it has heard of, of whatever service, and does not tell that.
    """
    return max([epoch, *(each.epoch for each in votes)]) + int(10 ** (tries - 1))


def unfinished(votes: Iterable[Vote], finished: int) -> set[str]:
    """Return who was voted for after the newest epoch in which a master was named: perhaps at it still."""
    return {each.leader for each in votes if each.leader and each.epoch > finished}


@dataclass(frozen=True)
class KnownSentinel:
    """A Sentinel as one of its peers knows it: the place that it announces, and its 40 digits."""

    address: str
    port: int
    runid: str


def announcement(sender: KnownSentinel, epoch: int, name: str, master: Endpoint) -> tuple[object, ...]:
    """Return the command that tells a Sentinel of the new master of a service.

    ``sender`` must be another one that it knows: it would take itself for a peer, and does not believe strangers.
    """
    said = (sender.address, sender.port, sender.runid, epoch, name, master.address, master.port, epoch)
    return "PUBLISH", HELLO, ",".join(map(str, said))


PROBE = ("PUBLISH", HELLO, "")
"""An announcement that says nothing: a Sentinel passes over it, but not over a missing right to send it."""
