"""Rules about masters and replicas."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.catalogue import one_word
from redis_fleet.rules.memory import limit
from redis_fleet.rules.rule import NEVER_STARTS, Finding, rule
from redis_fleet.rules.subject import Given, Subject

_USUAL_BACKLOG = 1 << 20
_USUAL_BUFFERS = ("256mb", "64mb")


@rule(
    "E18",
    "a replica in a cluster",
    reason="the server ends with 'replicaof directive not allowed in cluster mode'; a cluster arranges its own"
    " replicas, and Sentinels do not watch one",
    source="config.c: loadServerConfigFromString",
    remedy="take cluster-enabled out; redis-fleet does not form clusters",
    directives=("cluster-enabled", "replicaof"),
    firm=NEVER_STARTS,
)
def cluster_replicas(subject: Subject) -> Iterator[Finding]:
    """One alone may be part of somebody else's cluster."""
    for each in subject.given("cluster-enabled"):
        if each.word == "yes" and each.process.follows:
            yield Finding(subject.path(each), "cannot be yes: replicas of this service are told 'replicaof'")


@rule(
    "W37",
    "a node of a cluster that nobody forms",
    reason="redis-fleet forms no cluster, and a node without slots refuses every command on keys (CLUSTERDOWN)",
    source="cluster.c: getNodeByQuery; tried on redis 7.0.15",
    remedy="take cluster-enabled out, or form the cluster yourself: redis-cli --cluster create",
    directives=("cluster-enabled",),
)
def unformed_cluster(subject: Subject) -> Iterator[Finding]:
    """It may be a part of somebody else's."""
    for each in subject.given("cluster-enabled"):
        if each.word == "yes" and not each.process.follows:
            what = (
                "makes a node of a cluster, and redis-fleet forms none: without slots it refuses every command on keys"
            )
            yield Finding(subject.path(each), what)


@rule(
    "W5",
    "a replication backlog that holds next to nothing",
    reason="a replica that was away for longer than the backlog reaches copies the whole dataset; it must hold"
    " what is written while one restarts",
    source="redis.io, replication: partial resynchronisation",
    remedy="leave it at its default or say more: bytes written a second, times the seconds of a restart",
    directives=("repl-backlog-size",),
)
def small_backlog(subject: Subject) -> Iterator[Finding]:
    """How much is written is not in the file; that less than the smallest default is too little is."""
    for each in subject.given("repl-backlog-size"):
        if _replicated(each) and one_word.size(each.word) < _USUAL_BACKLOG:
            yield Finding(subject.path(each), f"{each.word} is below the default of 1mb, which is little already")


@rule(
    "W6",
    "output buffers that a full synchronisation does not fit into",
    reason="what is written while a replica loads waits in its buffer; over the limit the master drops the "
    "replica, which begins again, for ever",
    source="networking.c: checkClientOutputBufferLimits; redis.conf: client-output-buffer-limit",
    remedy="leave the limits of replicas at 256mb 64mb 60 or higher, or at 0",
    directives=("client-output-buffer-limit",),
)
def small_buffers(subject: Subject) -> Iterator[Finding]:
    """Less than the default is enough where the whole dataset is smaller."""
    for each in subject.given("client-output-buffer-limit"):
        words = [word.lower() for line in each.setting.lines for word in line]
        for name, *limits in (words[start : start + 3] for start in range(0, len(words) - 3, 4)):
            if name not in ("replica", "slave") or not _replicated(each):
                continue
            most = limit(subject, each.process)
            for given, usual in zip(limits, _USUAL_BUFFERS, strict=True):
                size = one_word.size(given)
                if 0 < size < one_word.size(usual) and (not most or size < most):
                    what = f"{given} for a replica is below the default of {usual} and the data may be more"
                    yield Finding(subject.path(each), what)
                    break


@rule(
    "W11",
    "writes that stop when one replica is away",
    reason="min-replicas-to-write counts the replicas that are attached: with as many as there are, each "
    "restart of one stops all writes",
    source="measured on redis 7.0.15",
    remedy="use one less than there are replicas",
    directives=("min-replicas-to-write", "min-replicas-max-lag"),
)
def no_replica_to_spare(subject: Subject) -> Iterator[Finding]:
    """Those of a master outside the file are not counted here."""
    for each in subject.given("min-replicas-to-write"):
        if each.service is None or each.service.external:
            continue
        wanted, replicas = int(each.word), len(each.service.processes) - 1
        if wanted > replicas:
            yield Finding(subject.path(each), f"wants {wanted} replicas of {replicas}: every write is refused")
        elif wanted and wanted == replicas:
            what = f"wants all of {replicas} replica{'s' * (replicas > 1)}: writes stop whenever one is away"
            yield Finding(subject.path(each), what)


@rule(
    "W22",
    "replicas that take writes",
    reason="what is written to a replica goes nowhere else and is gone with the next full synchronisation; a "
    "client with an old address does not even notice",
    source="redis.io, replication: read-only replica",
    remedy="leave replica-read-only at yes",
    directives=("replica-read-only",),
)
def writable_replicas(subject: Subject) -> Iterator[Finding]:
    """Only where there are replicas."""
    for each in subject.given("replica-read-only"):
        if each.word == "no" and _replicated(each):
            yield Finding(subject.path(each), "lets replicas take writes that nobody else gets")


@rule(
    "W27",
    "replicas that time out between two pings",
    reason="with nothing to replicate a ping is all that a replica hears: it drops the link over and over",
    source="redis.conf: repl-timeout",
    remedy="make repl-timeout several times repl-ping-replica-period",
    directives=("repl-timeout", "repl-ping-replica-period"),
)
def timed_out(subject: Subject) -> Iterator[Finding]:
    """One finding, whichever of the two is given."""
    for each in subject.given("repl-timeout", "repl-ping-replica-period"):
        period, timeout = (subject.number(each.process, name) for name in ("repl-ping-replica-period", "repl-timeout"))
        both = subject.place(each.process, "repl-timeout") and each.setting.name != "repl-timeout"
        if _replicated(each) and period and timeout and timeout <= period and not both:
            yield Finding(subject.path(each), f"a replica gives up after {timeout} s and hears a ping every {period} s")


@rule(
    "W28",
    "min-replicas-to-write that is switched off by its other half",
    reason="min-replicas-max-lag 0 disables the check altogether; redis-fleet's switchover uses it to hold writes back",
    source="replication.c: refreshGoodSlavesCount",
    remedy="use 10, the default; 2 loses less when a master is cut off",
    directives=("min-replicas-max-lag", "min-replicas-to-write"),
)
def no_lag_counted(subject: Subject) -> Iterator[Finding]:
    """Also without min-replicas-to-write: the fence of a switchover would not hold."""
    for each in subject.given("min-replicas-max-lag"):
        if each.word == "0" and _replicated(each):
            yield Finding(subject.path(each), "switches off min-replicas-to-write, and the fence of a switchover")


def _replicated(given: Given) -> bool:
    service = given.service
    return service is not None and (len(service.processes) > 1 or service.external is not None)
