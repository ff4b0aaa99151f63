"""The hand-overs broken on purpose, one way each: tests/lives has to find every one.

It is read in the processes that units begin too, which have the agent's modules that these need and no others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.process import unit_handover
from redis_fleet.agent.replication import ballot, election, handover, roles, voter
from redis_fleet.agent.replication.crash_handover import _CrashHandover
from redis_fleet.agent.replication.election import Election

HandOver = handover._HandOver
MUTANTS: dict[str, Callable[[], None]] = {}


def mutant(change: Callable[[], None]) -> Callable[[], None]:
    """Note one, under its name."""
    MUTANTS[change.__name__.strip("_").replace("_", "-")] = change
    return change


def apply(name: str) -> None:
    """Break this process's code; an empty name leaves it as it is."""
    if name:
        MUTANTS[name]()


def _put(owner: Any, name: str, function: Callable[..., Any]) -> None:
    assert hasattr(owner, name)
    setattr(owner, name, function)


def _nothing(*_: Any, **__: Any) -> None:
    return None


@mutant
def no_fence() -> None:
    """The old master takes writes to the end."""
    usual = HandOver._fence

    def open_(one: Any) -> None:
        usual(one)
        for directive, value in one._before.items():
            one._servers.set(one._old, directive, value)

    _put(HandOver, "_fence", open_)


@mutant
def no_catching_up() -> None:
    """The replica is promoted whatever it has."""
    _put(HandOver, "_await_offsets", _nothing)


@mutant
def announced_before_promoted() -> None:
    """The Sentinels are told of a master that is none yet."""

    def promote(one: Any, elected: Election) -> None:
        elected.win()
        one._problems += elected.announce(one._new, one._servers.node(one._new).announced, lambda: True)
        one._master = one._new
        roles.promote(one._servers, one._new, one._old)

    _put(HandOver, "_promote_elected", promote)


@mutant
def no_majority() -> None:
    """One vote is enough."""
    _put(ballot, "needed", lambda *_: 1)


@mutant
def wrong_epoch() -> None:
    """It is announced for an epoch that nobody was asked for."""
    usual = Election.announce

    def announce(one: Any, master: str, place: Endpoint, is_one: Callable[[], bool]) -> list[str]:
        one._won += 1
        return usual(one, master, place, is_one)

    _put(Election, "announce", announce)


@mutant
def old_epoch() -> None:
    """The epoch that was won is not above the last one."""
    usual = Election.announce

    def announce(one: Any, master: str, place: Endpoint, is_one: Callable[[], bool]) -> list[str]:
        one._won -= 1
        return usual(one, master, place, is_one)

    _put(Election, "announce", announce)


@mutant
def no_demotion() -> None:
    """The old master is left alone."""
    _put(HandOver, "_demote", lambda _: True)
    _put(HandOver, "_unfence", _nothing)


@mutant
def fence_left() -> None:
    """The old master keeps its fence."""
    _put(HandOver, "_unfence", _nothing)


@mutant
def not_undone() -> None:
    """What failed before the promotion leaves the fence."""
    _put(HandOver, "_undo", _nothing)


@mutant
def votes_without_bound() -> None:
    """A vote that comes to nothing keeps a Sentinel from a failover for twice the failover-timeout."""
    _put(Election, "shorten", _nothing)
    _put(Election, "_forget_votes", lambda _: [])


@mutant
def votes_not_forgotten() -> None:
    """The short timeout goes back while the Sentinels remember their votes."""
    _put(Election, "_forget_votes", lambda _: [])


@mutant
def short_timeout_left() -> None:
    """The Sentinels keep the short failover-timeout."""
    _put(Election, "close", lambda _: [])


@mutant
def blind_to_a_failover() -> None:
    """A Sentinel that is failing over is not seen."""
    for module in (election, voter):
        _put(module, "see_that_it_agrees", _nothing)


@mutant
def others_not_repointed() -> None:
    """The other replica goes on following the old master."""
    _put(handover, "follow", lambda *_: [])


@mutant
def crashed_comes_back_writable() -> None:
    """The file of a master that crashed and was replaced is left as it was."""
    _put(unit_handover, "_follow", _nothing)


@mutant
def crash_blind_to_a_master() -> None:
    """Nobody looks whether another one was promoted meanwhile."""
    _put(_CrashHandover, "_see_that_none_is_master", _nothing)


@mutant
def crash_without_votes() -> None:
    """Nobody is asked for a vote."""

    def win(one: Any) -> None:
        one._won = max(each.epoch for each in one._voters) + 1

    _put(Election, "win", win)


@mutant
def crash_not_told() -> None:
    """The Sentinels are not told of the new master."""
    _put(Election, "announce", lambda *_: [])


@mutant
def stopped_without_handing_over() -> None:
    """A master that is stopped just stops."""
    unit_handover._DOING["stop"] = _nothing
