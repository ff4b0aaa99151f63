"""What has to hold in a life, and how it is found out; see machine.py for why."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from redis_fleet.agent import engine_words
from redis_fleet.agent.messages.service import ServiceView
from redis_fleet.agent.protocol.resp import info
from tests.lives.history import BOTH, Promotion, Told, disputed, enthroned, promotions, required, told, unelected
from tests.lives.living import MONITOR, FailedError, Living
from tests.lives.units import Called
from tests.lives.watching import Watcher
from tests.lives.writers import Writer, missing

CATCH_UP, AGREE, REPAIR, SOUND, PAUSE = 1.0, 75.0, 90.0, 60.0, 0.25
"""Seconds. A frozen master that comes back is made a replica by Sentinel after 10 to 18 s; a Sentinel that stood still
for 2 s, as on a busy machine, does nothing for 30 s (TILT)."""


class WrongError(AssertionError):
    """Something that must never be."""


@dataclass
class Records:
    """What has been seen in one life; times are of the wall clock, seconds.

    ``calls`` are what units did after a crash, ``excused`` times from which on two masters are nobody's fault.
    """

    safe: list[float] = field(default_factory=list)
    ended: list[tuple[float, str]] = field(default_factory=list)
    epochs: dict[str, int] = field(default_factory=dict)
    named: dict[int, str] = field(default_factory=dict)
    first: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    calls: list[Called] = field(default_factory=list)
    excused: list[float] = field(default_factory=list)
    noted: Counter[str] = field(default_factory=Counter)


def in_step(town: Living) -> float:
    """Return a time (wall clock) at which all servers had everything and no failover was under way, 0: not so now."""
    began = time.time()
    before = town.seen()
    if not whole(town, before):
        return 0.0
    end, deadline = max(each.offset for each in before.members if each.role == "master"), time.monotonic() + CATCH_UP
    while True:
        after = town.seen()
        if not whole(town, after) or _masters(after) != _masters(before):
            return 0.0
        if all(each.offset >= end for each in after.members):
            return began
        if time.monotonic() > deadline:
            return 0.0


def whole(town: Living, seen: ServiceView) -> bool:
    """Whether all answer, all Sentinels name the one master, both replicas are linked, and nothing is under way."""
    master = town.named(seen)
    if not master or any([*(each.problem for each in seen.members), *(one.problem for one in seen.sentinels)]):
        return False
    place = str(next(each.announced for each in town.target.members if each.id == master))
    replicas = [each for each in seen.members if each.id != master]
    quiet = not any(
        engine_words.any_of(one.flags, engine_words.FAILING_OVER) or engine_words.any_of(one.flags, engine_words.DOWN)
        for one in seen.sentinels
    )
    return (
        quiet
        and _masters(seen) == [master]
        and all(one.master == place for one in seen.sentinels)
        and all(each.follows == place and each.link_up for each in replicas)
    )


def _masters(seen: ServiceView) -> list[str]:
    return [each.id for each in seen.members if each.role == "master"]


def note_epochs(town: Living, records: Records) -> None:
    """See that epochs only grow, and that there is one master in each."""
    for sentinel in town.sentinels:
        said = town.watched(sentinel)
        # The one that leads a failover has the new epoch while it still says the old address.
        if not said or engine_words.any_of(engine_words.flags(said["flags"]), engine_words.FAILING_OVER):
            continue
        epoch, place = int(said["config-epoch"]), f"{said['ip']}:{said['port']}"
        # What it hears of a newer epoch for the same master it does not write down (sentinelProcessHelloMessage): one
        # that was killed may come back with the one before, and hears of it again.
        life = f"{sentinel} {info(str(town.tell(sentinel, 'INFO', 'server'))).get('run_id')}"
        if epoch < records.epochs.get(life, 0):
            raise WrongError(f"{sentinel} went from config-epoch {records.epochs[life]} back to {epoch}")
        records.epochs[life] = epoch
        known = records.named.setdefault(epoch, place)
        if known != place:
            raise WrongError(f"in epoch {epoch} both {known} and {place} were named as the master")


def repair(town: Living) -> None:
    """Deploy until it succeeds; raises WrongError where it does not in time."""
    deadline, said = time.monotonic() + REPAIR, ""
    while True:
        try:
            town.deploy()
            return
        except FailedError as error:
            said = str(error)
        if time.monotonic() > deadline:
            raise WrongError(f"a deployment does not succeed within {REPAIR:g} s: {said}")
        time.sleep(PAUSE * 3)


def await_named(town: Living, why: str, other_than: str = "", seconds: float = AGREE) -> str:
    """Wait until a majority names a master that says so itself; raises WrongError."""
    deadline = time.monotonic() + seconds
    while True:
        seen = town.seen()
        master = town.named(seen)
        if master and master != other_than and master in _masters(seen):
            return master
        if time.monotonic() > deadline:
            who = f"{master or 'nobody'}; masters: {', '.join(_masters(seen)) or 'none'}"
            raise WrongError(f"no master {seconds:g} s after {why}; named is {who}")
        time.sleep(PAUSE)


def await_whole(town: Living, why: str) -> float:
    """Wait until all is in step; returns when it was. Raises WrongError."""
    deadline = time.monotonic() + SOUND
    while True:
        if when := in_step(town):
            return when
        if time.monotonic() > deadline:
            seen = town.seen()
            what = [f"{each.id} {each.role or each.problem} of {each.follows}" for each in seen.members]
            what += [f"{one.id} names {one.master} {','.join(one.flags)} {one.problem}" for one in seen.sentinels]
            raise WrongError(f"not whole {SOUND:g} s after {why}: {'; '.join(what)}")
        time.sleep(PAUSE)


def nothing_wrong(town: Living) -> None:
    """See that ``status`` would find nothing, and a plan nothing to do."""
    deadline = time.monotonic() + SOUND
    while troubles := town.amiss():
        if time.monotonic() > deadline:
            raise WrongError("; ".join(troubles))
        time.sleep(PAUSE)
    if left := town.left():
        raise WrongError("; ".join(left))


def failovers(town: Living) -> list[Promotion]:
    """Return all promotions by Sentinels themselves."""
    return promotions(events(town))


def events(town: Living) -> list[Told]:
    """Return what the Sentinels tell."""
    return told(town.logs_of(town.sentinels), town.zone)


def judge_epochs(town: Living, records: Records) -> None:
    """See that every epoch in which a master was named had been won."""
    ids = [said["runid"] for row in map(_peers, [town]) for said in row]
    wrong_ones = unelected(events(town), [each for each in records.named if each > records.first], ids, 3)
    if wrong_ones:
        raise WrongError("; ".join(wrong_ones))


def _peers(town: Living) -> list[dict[str, str]]:
    return [{"runid": str(town.tell(sentinel, "SENTINEL", "MYID"))} for sentinel in town.sentinels]


def after_crashes(town: Living, records: Records) -> list[Promotion]:
    """Return the promotions in the place of a master that had crashed, done by its unit."""
    logs = town.logs_of(town.servers)
    all_ = enthroned({town.place(each): text for each, text in logs.items()}, town.zone)
    # A log has milliseconds.
    return [each for each in all_ if any(call.began - 0.001 <= each.at <= call.ended for call in records.calls)]


def judge_masters(town: Living, records: Records, watcher: Watcher) -> None:
    """See that no two servers took writes at once but where a Sentinel had replaced one that went on."""
    found = disputed(watcher.doubles, failovers(town), records.safe, records.excused)
    records.noted["two masters at once, by Sentinel"] += bool(watcher.doubles)
    if found:
        raise WrongError(
            f"servers {sorted(found[0].places)} took writes at once at {found[0].at} and {len(found)} times in all;"
            f" failovers {failovers(town)}; safe at {records.safe}; units {records.calls}"
        )


def judge_writes(town: Living, records: Records, writers: list[Writer]) -> None:
    """See that every write is there that asynchronous replication cannot have lost."""
    promoted = [*failovers(town), *after_crashes(town, records)]
    master = town.named()
    with town.open(master) as connection:
        for writer in writers:
            stored = str(connection.call("GET", writer.key) or "").encode("utf-8", "surrogateescape")
            wanted = required(writer.acknowledged, promoted, records.safe, records.ended)
            records.counted["acknowledged"] = records.counted.get("acknowledged", 0) + len(writer.acknowledged)
            records.counted["required"] = records.counted.get("required", 0) + len(wanted)
            both = sum(each.how == BOTH for each in wanted)
            records.counted["on both"] = records.counted.get("on both", 0) + both
            lost = missing(stored, wanted)
            if lost:
                raise WrongError(
                    f"{len(lost)} of {len(wanted)} writes that cannot be lost are not on {master} of {MONITOR}: first"
                    f" {lost[0]}; failovers {promoted}; safe at {records.safe}; killed {records.ended}"
                )
