"""Distributed locks: by hand, by redis-py, with fifty processes that all want one, and where they end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from redis_fleet.drills import lock_failover
from redis_fleet.drills.application_access import (
    Entrance,
    Person,
    client_of,
    entrance_of,
    need_redis_py,
    persons,
    remove,
    sentinel_of,
)
from redis_fleet.drills.contention import ContentionResult, contend
from redis_fleet.drills.context import Deployment, Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.expect import that
from redis_fleet.drills.lab import LabError, until
from redis_fleet.drills.master_moves import in_lab
from redis_fleet.drills.report import Chart, Series
from redis_fleet.drills.transcript import Notebook

if TYPE_CHECKING:
    import redis

SECONDS = 3
TAKE = ("NX", "EX", SECONDS)
# Compare and delete in one step: between a GET and a DEL the lock could expire and become somebody else's.
RELEASE = 'if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0'
LOCK = "redis.lock:Lock"
_CROWD, _SECTIONS = 50, 2
_SHORT = 0.3


def run(place: Place, book: Notebook) -> None:
    """Show all of it: on the deployment, and what would harm one on servers of the drill's own."""
    need_redis_py()
    from redis import RedisError  # noqa: PLC0415  (an optional package)

    deployment = place.deployment()
    entrance = entrance_of(deployment.target)
    key = place.key("lock")
    try:
        _by_hand(deployment, book, key)
        _by_library(deployment, entrance, book, key)
        _crowded(entrance, book, key)
        in_lab(place, book, lock_failover.on_own_servers)
        lock_failover.on_the_deployment(deployment, entrance, book, key)
    except RedisError as error:
        raise LabError(f"redis-py: {type(error).__name__}: {error}") from error
    remove(deployment, key)


def _by_hand(deployment: Deployment, book: Notebook, key: str) -> None:
    book.part(f"SET key value NX EX {SECONDS}, by hand")
    master = deployment.master()
    everybody = persons(deployment.target, master.name, "ABC")
    try:
        _taken_and_expired(book, key, *everybody[:2])
        _released(book, key, *everybody)
        _in_two_steps(book, key, everybody[0])
    finally:
        for each in everybody:
            each.connection.close()


def _taken_and_expired(book: Notebook, key: str, one: Person, other: Person) -> None:
    taken = time.monotonic()
    book.do(one, "SET", key, "A", *TAKE, expect="OK", meaning="nobody had it: NX writes only what is not there")
    book.do(other, "SET", key, "B", *TAKE, expect=None, meaning="A has it: B has to wait and try again")
    book.do(
        other,
        "TTL",
        key,
        expect=that(f"1 to {SECONDS}", lambda reply: 1 <= reply <= SECONDS),
        meaning="A may die now: the lock goes away by itself",
    )
    until(lambda: other.call("GET", key) is None, "the lock expires", SECONDS + 10)
    seconds = time.monotonic() - taken
    book.check(
        "wait until GET says that it is gone",
        f"{seconds:.1f} s after A took it",
        ok=seconds >= SECONDS - 0.05,
        expected=f"{SECONDS} s, not sooner",
        meaning="EX must be longer than the longest work under the lock: nobody asks A whether it has ended",
        where=other.name,
    )
    book.do(other, "SET", key, "B", *TAKE, expect="OK", meaning="B has it, and A may still believe that it has")


def _released(book: Notebook, key: str, one: Person, other: Person, third: Person) -> None:
    book.part("Release only what is your own")
    book.do(one, "DEL", key, expect=1, meaning="A is late and tidies up with a plain DEL: it was B's lock")
    book.do(
        third, "SET", key, "C", *TAKE, expect="OK", meaning="now B and C work at the same time: what DEL alone does"
    )
    # Long enough for whatever machine this is: what follows is about the owner, not about time.
    book.do(third, "EXPIRE", key, 60, expect=1)
    book.do(
        other, "EVAL", RELEASE, 1, key, "B", expect=0, meaning="compare and delete in one step: not B's any more, left"
    )
    book.do(other, "GET", key, expect="C", meaning="C still has it")
    book.do(third, "EVAL", RELEASE, 1, key, "C", expect=1, meaning="its owner releases it")
    book.do(third, "GET", key, expect=None)


def _in_two_steps(book: Notebook, key: str, one: Person) -> None:
    book.part("Why one command and not two")
    book.do(one, "SETNX", key, "A", expect=1, meaning="the old way, in two commands: SETNX, then EXPIRE")
    book.do(one, "TTL", key, expect=-1, meaning="who dies between the two locks everybody out for ever")
    book.do(one, "DEL", key, expect=1)


def _by_library(deployment: Deployment, entrance: Entrance, book: Notebook, key: str) -> None:
    book.part("redis-py's Lock, through the Sentinels")
    master = deployment.master()
    named = sentinel_of(entrance).discover_master(entrance.monitor)
    book.check(
        f"Sentinel({[f'{address}:{port}' for address, port in entrance.sentinels]}).discover_master"
        f"({entrance.monitor!r})",
        named,
        ok=tuple(named) == master.endpoint,
        expected=str(master.endpoint),
        meaning="the application knows the Sentinels and a name, never the master's address",
    )
    with client_of(entrance) as one, client_of(entrance) as other:
        _held(one, other, deployment, book, key)
        _forever(one, deployment, book, key)
        _late(one, other, book, key)


def _held(one: redis.Redis, other: redis.Redis, deployment: Deployment, book: Notebook, key: str) -> None:
    master = deployment.master()
    mine = one.lock(key, timeout=60)
    _library(book, "A: lock(name, timeout=60).acquire()", mine.acquire(), True)
    token = mine.local.token.decode()
    book.do(master, "GET", key, expect=token, meaning="a random token: what only its owner knows, as A, B and C above")
    book.do(master, "PTTL", key, expect=that("up to 60000", lambda reply: 0 < reply <= 60000))
    began = time.monotonic()
    gotten = other.lock(key, timeout=60, blocking_timeout=_SHORT, sleep=0.05).acquire()
    waited = time.monotonic() - began
    meaning = f"it asked every 50 ms for {waited:.2f} s; there is no queue: who asks at the right moment has it"
    _library(book, f"B: lock(name, blocking_timeout={_SHORT}).acquire()", gotten, False, meaning)
    mine.release()
    again = other.lock(key, timeout=60)
    _library(book, "A: release(); B: acquire()", again.acquire(blocking=False), True)
    again.release()


def _forever(one: redis.Redis, deployment: Deployment, book: Notebook, key: str) -> None:
    endless = one.lock(key, blocking_timeout=3)
    _library(book, "A: lock(name, blocking_timeout=3).acquire()", endless.acquire(), True)
    book.do(
        deployment.master(),
        "PTTL",
        key,
        expect=-1,
        meaning="without timeout it never expires: when its owner is killed nobody gets it again. Always give one",
    )
    endless.release()


def _late(one: redis.Redis, other: redis.Redis, book: Notebook, key: str) -> None:
    from redis.exceptions import LockNotOwnedError  # noqa: PLC0415

    short, next_ = one.lock(key, timeout=_SHORT), other.lock(key, timeout=60, sleep=0.05, blocking_timeout=30)
    short.acquire()
    _library(book, f"A: lock(name, timeout={_SHORT}), and works longer; B: acquire()", next_.acquire(), True)
    try:
        short.release()
        seen = "released"
    except LockNotOwnedError as error:
        seen = type(error).__name__
    _library(book, "A: release()", seen, "LockNotOwnedError", "A learns only now that it worked without a lock")
    _library(book, "B: owned()", next_.owned(), True, "and B's was left alone")
    next_.release()


def _library(book: Notebook, doing: str, seen: Any, expected: Any, meaning: str = "") -> None:
    book.check(doing, seen, ok=seen == expected, expected=str(expected), meaning=meaning, where="redis-py")


def _crowded(entrance: Entrance, book: Notebook, key: str) -> None:
    book.part(f"{_CROWD} processes that all want it")
    locked = contend(entrance, key, _CROWD, _SECTIONS, LOCK)
    free = contend(entrance, key, _CROWD, _SECTIONS, "")
    wanted = _CROWD * _SECTIONS
    book.check(
        f"{_CROWD} processes read a number from a file, add 1 and write it back, {_SECTIONS} times each, with the lock",
        _said(locked),
        ok=_clean(locked, wanted) and locked.counted == wanted and not locked.overlaps,
        expected=_wanted(wanted),
        meaning="each stay was logged from its first to its last step, on the one clock of this machine",
    )
    book.check(
        "the same without the lock",
        _said(free),
        ok=_clean(free, wanted) and free.overlaps > 0,
        expected="stays that overlap",
        meaning="this is what the log looks like when a lock does not lock, and what becomes of the number",
    )
    book.measure("stays a second, with the lock", wanted / locked.seconds, "a second", "all processes together")
    book.measure("stays a second, without it", wanted / free.seconds, "a second", "and the result is wrong")
    rows = ((0.0, float(locked.counted)), (1.0, float(free.counted)))
    book.chart(Chart("bars", f"{wanted} times one more, by {_CROWD} processes", f"exactly {wanted} is right",
                     (Series("the number at the end", "", rows),), labels=("with the lock", "without")))  # fmt: skip


def _clean(outcome: ContentionResult, wanted: int) -> bool:
    return not outcome.problems and len(outcome.sections) == wanted


def _wanted(wanted: int) -> str:
    return f"{wanted} stays, 0 overlap, the number is {wanted}"


def _said(outcome: ContentionResult) -> str:
    text = f"{len(outcome.sections)} stays, {outcome.overlaps} overlap, the number is {outcome.counted}"
    return text + (f"; {outcome.problems[0]}" if outcome.problems else "")


DRILL = Drill(
    "lock",
    "Distributed locks",
    "SET NX EX by hand and redis-py's Lock; 50 processes never overlap; what a failover does to a lock, and what helps",
    run,
    "deployment",
)
