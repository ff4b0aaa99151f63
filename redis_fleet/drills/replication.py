"""Replication: how it works, on servers of our own; and the deployment's: who follows whom, and is it the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from redis_fleet.agent.messages.service import MemberView, ServiceAccess
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.agent.replication.agreement import name_of
from redis_fleet.agent.replication.view import view
from redis_fleet.drills import replication_lab
from redis_fleet.drills.context import Client, Deployment, Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.expect import error, that
from redis_fleet.drills.master_moves import in_lab, measured, switched_over
from redis_fleet.drills.transcript import Notebook

_SAMPLE, _STEP = 500, 250
_PATIENCE, _PAUSE = 5.0, 0.05
_READONLY = error("READONLY")
_LENGTHS = {"string": "STRLEN", "list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN"}


def run(place: Place, book: Notebook) -> None:
    """Show both."""
    in_lab(place, book, replication_lab.show)
    deployment = place.deployment()
    master = deployment.master()
    book.part(f"This deployment: {deployment.service.name}")
    _who_follows_whom(deployment, book, master)
    _written(place, deployment, book, "mykey")
    _refused(place, deployment, book)
    _compared(place, deployment, book)
    _switched(place, deployment, book)


def _within(done: Callable[[], bool]) -> bool:
    """Wait until something holds; returns whether it did in time."""
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _who_follows_whom(deployment: Deployment, book: Notebook, master: Client) -> None:
    target = deployment.target
    first = next(member for member in view(target).members if member.id == master.name)
    latest = [first]

    def all_there() -> bool:
        latest[:] = view(target).members
        return not any(astray(target, member, first) for member in latest if member.id != first.id)

    _within(all_there)
    count = len(latest) - 1
    book.check(
        "INFO replication",
        f"master, {first.offset:,} bytes written",
        ok=True,
        meaning=f"{count} replicas belong to it" if count else "it has no replica: what it loses is lost",
        where=first.id,
    )
    for member in latest:
        if member.id != first.id:
            wrong = astray(target, member, first)
            book.check(
                "INFO replication",
                wrong or f"replica of {first.id}, link up, {member.offset:,} bytes",
                ok=not wrong,
                expected=f"a linked replica of {first.id} with at least {first.offset:,} bytes",
                where=member.id,
            )


def astray(target: ServiceAccess, member: MemberView, master: MemberView) -> str:
    """Return what is wrong with a member as a replica of a master, as it was seen before; empty when nothing is."""
    place = next(str(node.announced) for node in target.members if node.id == master.id)
    if member.problem:
        return f"does not answer: {member.problem}"
    if member.role != "replica":
        return "a master too"
    if member.follows != place:
        return f"follows {name_of(target, member.follows)}"
    if not member.link_up:
        return "its link to the master is down: what it shows is old"
    if member.offset < master.offset:
        return f"{master.offset - member.offset:,} bytes behind"
    return ""


def _written(place: Place, deployment: Deployment, book: Notebook, name: str) -> None:
    master, replicas, key = deployment.master(), deployment.replicas(), place.key(name)
    try:
        book.do(master, "SET", key, "written", expect="OK")
        enough = that(f"{len(replicas)}", lambda reply: bool(reply >= len(replicas)))
        book.do(master, "WAIT", len(replicas), 5000, expect=enough, meaning="so many replicas have it")
        for replica in replicas:
            book.do(replica, "GET", key, expect="written")
    finally:
        master.call("DEL", key)


def _refused(place: Place, deployment: Deployment, book: Notebook) -> None:
    key = place.key("newkey")
    for replica in deployment.replicas():
        seen = book.do(replica, "SET", key, 456, "EX", 60, expect=_READONLY, meaning="a replica takes no writes")
        if not isinstance(seen, ReplyError):
            replica.call("DEL", key)


def _compared(place: Place, deployment: Deployment, book: Notebook) -> None:
    master = deployment.master()
    written: list[tuple[object, ...]] = [
        ("SET", place.key("string"), "guods"),
        ("HSET", place.key("hash"), "username", "guods"),
        ("RPUSH", place.key("list"), 2, 3, 5),
        ("SADD", place.key("set"), "peiqi", "danni"),
        ("ZADD", place.key("sorted"), 71, "song8"),
    ]
    try:
        master.pipeline(written)
        _the_same(book, master, deployment.replicas())
    finally:
        master.call("DEL", *(words[1] for words in written))


def _the_same(book: Notebook, master: Client, replicas: Sequence[Client]) -> None:
    """Compare type and length of some keys; they change between two looks, so what differs is looked at again."""
    for replica in replicas:
        keys = sorted({*_some_keys(master), *_some_keys(replica)})
        left = list(keys)

        def agree(replica: Client = replica, left: list[str] = left) -> bool:
            left[:] = differing(master, replica, left)
            return not left

        _within(agree)
        book.check(
            f"type and length of {len(keys):,} keys here and on {master.name}",
            f"{len(left):,} differ" if left else "the same",
            ok=not left,
            expected="the same",
            meaning="a replica that somebody wrote to has what nobody else has"
            if left
            else f"some of each, five of them written just now; at most {_SAMPLE} of database 0",
            where=replica.name,
        )


def _some_keys(client: Client) -> list[str]:
    found: list[str] = []
    cursor = "0"
    while len(found) < _SAMPLE:
        cursor, keys = client.call("SCAN", cursor, "COUNT", _STEP)
        found += keys
        if cursor == "0":
            break
    return found[:_SAMPLE]


def differing(one: Client, other: Client, keys: Sequence[str]) -> list[str]:
    """Return the keys that are of another type or length on two servers."""
    kinds = [client.pipeline([("TYPE", key) for key in keys]) for client in (one, other)]
    same = [key for key, here, there in zip(keys, *kinds, strict=True) if here == there]
    kind = dict(zip(keys, kinds[0], strict=True))
    asked = [(_LENGTHS[kind[key]], key) for key in same if kind[key] in _LENGTHS]
    lengths = [client.pipeline(asked) for client in (one, other)]
    unequal = {key for (_, key), here, there in zip(asked, *lengths, strict=True) if here != there}
    return [key for key in keys if key not in same or key in unequal]


def _switched(place: Place, deployment: Deployment, book: Notebook) -> None:
    book.part("The master is changed on purpose")
    report = switched_over(deployment, book)
    if report is None or not report["ok"]:
        return
    measured(report, book)
    _who_follows_whom(deployment, book, deployment.master())
    _written(place, deployment, book, "after")


DRILL = Drill(
    "replication",
    "Replication",
    "replicas have what the master has, refuse writes, catch up after a cut, and can be promoted",
    run,
    "lab and deployment",
    more="the master is changed on purpose once (switchover)",
)
