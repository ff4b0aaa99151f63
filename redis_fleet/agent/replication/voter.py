"""A Sentinel that is to vote: what it says of the service before anything is asked of it."""

from __future__ import annotations

from dataclasses import dataclass

from .. import engine_words
from ..endpoint import place_of
from ..messages.service import Instance, ServiceAccess
from ..protocol.resp import Connection, pairs, replies
from . import ballot
from .agreement import name_of
from .ballot import KnownSentinel, Vote

TIMEOUT = "failover-timeout"


class NotElectedError(Exception):
    """There is no election, or it was not won; the text says why. Nothing was promoted."""


@dataclass
class Voter:
    """A Sentinel that answers, and what it said at the beginning: whom it knows, and whom it voted for ``last``.

    ``epoch`` is the newest that it tells of, ``finished`` the newest in which a master of this service was named.
    """

    instance: Instance
    connection: Connection
    known: list[KnownSentinel]
    peers: int
    replicas: int
    epoch: int
    finished: int
    last: Vote
    timeout: str
    voted: bool = False


def met(
    target: ServiceAccess, old: str, node: Instance, connection: Connection, last_vote: tuple[object, ...]
) -> Voter:
    """Read what a Sentinel says, and try the two commands in forms that change nothing: one asks for its last vote."""
    monitor = target.monitor
    *needed, services = connection.pipeline(
        [
            ("SENTINEL", "MASTER", monitor),
            ("SENTINEL", "REPLICAS", monitor),
            ("SENTINEL", "SENTINELS", monitor),
            last_vote,
            ballot.PROBE,
            ("SENTINEL", "MASTERS"),
        ]
    )
    said, replicas, peers, voted, _ = replies(needed)
    master, rows = pairs(said), [pairs(each) for each in peers]
    see_that_it_agrees(target, old, master)
    known = [KnownSentinel(row["ip"], int(row["port"]), row["runid"]) for row in rows if row.get("runid")]
    if not known:
        raise NotElectedError("it knows no other Sentinel in whose name it could be told")
    last, finished = ballot.vote(voted), int(master["config-epoch"])
    # Epochs are counted for all services together; who may not ask for the others finds a free one by trying.
    epochs = [int(pairs(row)["config-epoch"]) for row in services] if isinstance(services, list) else []
    return Voter(
        *(node, connection, known, len(rows), len(replicas)),
        epoch=max(finished, last.epoch, *epochs),
        finished=finished,
        last=last,
        timeout=master[TIMEOUT],
    )


def see_that_it_agrees(target: ServiceAccess, old: str, master: dict[str, str]) -> None:
    """Raise NotElectedError where a Sentinel names another master, or is failing over."""
    named = name_of(target, place_of(master["ip"], master["port"]))
    if named != old:
        raise NotElectedError(f"it names {named}")
    flags = engine_words.flags(master["flags"])
    if engine_words.any_of(flags, engine_words.FAILING_OVER):
        raise NotElectedError(f"it is failing over ({master['flags']})")
