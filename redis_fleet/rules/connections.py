"""Rules about the connections of clients."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.subject import Subject

_SHORT = 60


@rule(
    "W16",
    "connections that are closed too early, or never",
    reason="pools keep idle connections and find them closed; without tcp-keepalive those of clients that are "
    "gone stay until maxclients is reached",
    source="redis.conf: timeout, tcp-keepalive",
    remedy="leave timeout at 0 or above the pools' own, and tcp-keepalive at 300",
    directives=("timeout", "tcp-keepalive"),
)
def badly_kept(subject: Subject) -> Iterator[Finding]:
    """A timeout of minutes is a choice, one of seconds hits pools."""
    for each in subject.given("timeout"):
        if 0 < int(each.word) < _SHORT:
            what = f"closes connections that are idle for {each.word} s: pools find theirs gone"
            yield Finding(subject.path(each), what, "use 0, or more than the pools' own idle time")
    for each in subject.given("tcp-keepalive"):
        if each.word == "0":
            what = "keeps the connections of clients that are gone, until maxclients is reached"
            yield Finding(subject.path(each), what, "use 300, the default")
