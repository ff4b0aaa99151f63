"""Sentinels: how they replace a master, on servers of our own; and the deployment's: do they agree, could they now."""

from __future__ import annotations

import time

from redis_fleet.agent.endpoint import place_of
from redis_fleet.agent.protocol.resp import pairs
from redis_fleet.agent.replication.agreement import majority
from redis_fleet.agent.replication.view import CONNECTION_ERRORS, describe_error
from redis_fleet.drills import sentinel_lab
from redis_fleet.drills.context import Client, Deployment, Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.expect import error, that
from redis_fleet.drills.master_moves import failed_over, in_lab, left_out, measured, timeline
from redis_fleet.drills.transcript import Notebook

# Sentinels look at servers every 10 s: after a failover just before, that long they may say something else.
_PATIENCE, _PAUSE = 12.0, 0.1


def run(place: Place, book: Notebook) -> None:
    """Show both."""
    in_lab(place, book, sentinel_lab.show)
    deployment = place.deployment()
    book.part(f"This deployment: {deployment.service.name}")
    if not deployment.service.watch:
        left_out(book, "SENTINEL MASTERS", f"no Sentinel watches {deployment.service.name}")
        return
    master = deployment.master()
    _agreed(deployment, book, master)
    _failover(place, deployment, book)


def _agreed(deployment: Deployment, book: Notebook, master: Client) -> None:
    """Ask every Sentinel; one that does not answer is a difference, not the end."""
    sentinels = deployment.sentinels()
    for sentinel in sentinels:
        try:
            _asked(deployment, book, sentinel, master)
        except CONNECTION_ERRORS as trouble:
            book.check("SENTINEL MASTERS", describe_error(trouble), ok=False, expected="an answer", where=sentinel.name)
    watch = deployment.service.watch
    most = majority(len(sentinels))
    book.check(
        "who must agree",
        f"{watch.quorum if watch else 0} find the master down, {most} of {len(sentinels)} vote for who replaces it",
        ok=True,
        meaning=f"{len(sentinels) - most} of the Sentinels may be lost",
    )


def _asked(deployment: Deployment, book: Notebook, sentinel: Client, master: Client) -> None:
    watch = deployment.service.watch
    assert watch is not None
    expected = {
        "where": str(master.announced),
        "flags": "master",
        "num-slaves": str(len(deployment.service.processes) - 1),
        "num-other-sentinels": str(len(deployment.sentinels()) - 1),
        "quorum": str(watch.quorum),
    }
    seen = _settled(sentinel, watch.name, expected)
    book.check(
        "SENTINEL MASTERS",
        "; ".join(_sentence(name, row) for name, row in seen.items()) or "watches nothing",
        ok=seen.get(watch.name) == expected,
        expected=_sentence(watch.name, expected),
        where=sentinel.name,
    )
    could = that("OK …", lambda reply: str(reply).startswith("OK"))
    book.do(sentinel, "SENTINEL", "CKQUORUM", watch.name, expect=could, meaning="a failover could be decided now")


def _settled(sentinel: Client, name: str, expected: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return what a Sentinel says of each service, once it says what is expected of one or has had the time to."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        rows = {row["name"]: told(row) for row in map(pairs, sentinel.call("SENTINEL", "MASTERS"))}
        if rows.get(name) == expected or time.monotonic() > deadline:
            return rows
        time.sleep(_PAUSE)


def told(row: dict[str, str]) -> dict[str, str]:
    """Return what matters of a row of SENTINEL MASTERS."""
    names = ("flags", "num-slaves", "num-other-sentinels", "quorum")
    return {"where": place_of(row["ip"], row["port"]), **{name: row[name] for name in names}}


def _sentence(name: str, seen: dict[str, str]) -> str:
    return (
        f"{name} at {seen['where']}: {seen['flags']}, {seen['num-slaves']} replicas,"
        f" {seen['num-other-sentinels']} other Sentinels, quorum {seen['quorum']}"
    )


def _failover(place: Place, deployment: Deployment, book: Notebook) -> None:
    book.part("The master of this deployment dies")
    report = failed_over(deployment, book)
    if report is None:
        return
    name = deployment.service.name
    book.check(
        "what its clients noticed",
        "; ".join(report["problems"])
        or f"no write for {report['write_gap_ms']} ms, {report['acknowledged_lost']} acknowledged writes lost",
        ok=bool(report["ok"]),
        expected="all follow the new master, the old one too, and no acknowledged write is lost",
        where=name,
    )
    measured(report, book)
    book.chart(timeline(report, f"The failover of {name}"))
    master, replicas, key = deployment.master(), deployment.replicas(), place.key("name")
    try:
        book.do(master, "SET", key, "tedu", expect="OK", meaning="a value that is written afterwards")
        book.do(master, "WAIT", len(replicas), 5000, expect=that("all", lambda reply: bool(reply >= len(replicas))))
        for replica in replicas:
            book.do(replica, "GET", key, expect="tedu")
            book.do(replica, "SET", key, "other", "EX", 60, expect=error("READONLY"))
    finally:
        master.call("DEL", key)
    _agreed(deployment, book, master)


DRILL = Drill(
    "sentinel",
    "Sentinels and failover",
    "the Sentinels replace a master that died, and a minority of them does not",
    run,
    "lab and deployment",
    more="the master is killed once; the Sentinels replace it",
)
