"""Rules about Sentinels: whether a failover can happen, and whether it happens when it should not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from redis_fleet.agent.replication.agreement import majority
from redis_fleet.description.references import NO_AGREEMENT
from redis_fleet.model import Process, Service, Watch
from redis_fleet.rules.rule import Finding, finds, rule
from redis_fleet.rules.security import bound
from redis_fleet.rules.subject import Subject

_HASTY, _TOO_HASTY = 2000, 1000
_ELECTION = 10000
_EVERYWHERE = {"*", "0.0.0.0", "::", "-::*"}  # noqa: S104
# What replicas and Sentinels send to a server, and redis-fleet.
_NEEDED = {"auth", "config", "info", "ping", "role"} | {
    *("client", "exec", "multi", "psync", "publish", "replconf", "replicaof", "slaveof", "subscribe")
}


def _watched(subject: Subject) -> Iterator[tuple[Service, Watch]]:
    return ((service, service.watch) for service in subject.services if service.watch)


@finds(NO_AGREEMENT)
def few_sentinels(subject: Subject) -> Iterator[Finding]:
    """The quorum is compared before, in ``description/references.py``: that needs nothing worked out."""
    sentinel = subject.deployment.sentinel
    count = len(sentinel.machines) if sentinel else 0
    if 0 < count < 3 and any(_watched(subject)):
        what = "there is one: without it nothing fails over" if count == 1 else "there are two: either is no majority"
        yield Finding(("sentinel", "machines"), what)


@rule(
    "E3",
    "most Sentinels on one machine",
    reason="when that machine is lost, no majority is left, and nothing fails over; above all when it is the master's",
    source="redis.io, Sentinel: example deployments",
    remedy="spread them: on three machines any one may be lost",
    directives=("sentinel monitor",),
)
def sentinels_together(subject: Subject) -> Iterator[Finding]:
    """Machines with one address are one machine."""
    machines = subject.fleet.machines
    together = Counter(machines[each.machine].address for each in subject.fleet.sentinels)
    count = len(subject.fleet.sentinels)
    for address, number in together.items():
        if number > 1 and number >= majority(count) and any(_watched(subject)):
            names = dict.fromkeys(
                each.machine for each in subject.fleet.sentinels if machines[each.machine].address == address
            )
            what = f"{number} of {count} Sentinels are on {' and '.join(names)} ({address}): with it goes the majority"
            yield Finding(("sentinel", "machines"), what)


@rule(
    "E8",
    "renamed commands that replication, Sentinel or redis-fleet needs",
    reason="Sentinel queues SLAVEOF, CONFIG REWRITE and CLIENT KILL in one transaction: with one of them "
    "renamed there is no failover (measured with CONFIG)",
    source="measured on redis 7.0.15; sentinel.c: sentinelSendSlaveOf",
    remedy="leave them; ACL users can be kept from them",
    directives=("rename-command",),
)
def renamed_commands(subject: Subject) -> Iterator[Finding]:
    """Also without Sentinels: redis-fleet looks and changes with the same commands."""
    for each in subject.given("rename-command"):
        taken = sorted({words[0].lower() for words in each.setting.lines if words} & _NEEDED)
        if taken:
            what = f"renames {', '.join(taken)}, which redis-fleet, replicas or Sentinel need"
            yield Finding(subject.path(each), what)


@rule(
    "E9",
    "replicas that are never promoted",
    reason="Sentinel promotes no replica with priority 0: every failover ends with -failover-abort-no-good-slave",
    source="measured on redis 7.0.15; sentinel.c: sentinelSelectSlave",
    remedy="give at least one replica a priority above 0",
    directives=("replica-priority",),
)
def never_promoted(subject: Subject) -> Iterator[Finding]:
    """A first master with a priority of its own does not help: it is the one that is lost."""
    for service, _ in _watched(subject):
        replicas = [process for process in service.processes if process.follows]
        given = subject.place(replicas[0], "replica-priority") if replicas else None
        if given and all(subject.value(process, "replica-priority") == "0" for process in replicas):
            yield Finding(given, "is 0 for every replica: Sentinel can promote none of them")


@rule(
    "W1",
    "a master that is called down too soon",
    reason="a slow command, a fork or a pause of the machine is longer than this now and then: a healthy master is "
    "failed over, and writes that it had acknowledged are lost (measured with a pause: 3,740)",
    source="measured on redis 7.0.15",
    remedy="use 2000 or more; 5000 is a good beginning",
    directives=("sentinel down-after-milliseconds",),
)
def called_down_too_soon(subject: Subject) -> Iterator[Finding]:
    """A failover takes 1.2 s more than this at least: less hardly gains anything."""
    for service, watch in _watched(subject):
        if watch.down_after < _TOO_HASTY:
            what = f"calls a master down after {watch.down_after} ms: a fork or a slow command takes longer"
            yield Finding(subject.watch_path(service, "down-after-milliseconds"), what)


@rule(
    "W18",
    "a second failover right after the first",
    reason="a Sentinel tries a lost connection again only after a second: with less than two it now and then "
    "holds the master that was just promoted for down, and fails over once more",
    source="seen on redis 7.0.15 and valkey 9.1; redis issue 8607",
    remedy="use 2000 or more",
    directives=("sentinel down-after-milliseconds",),
)
def failed_over_twice(subject: Subject) -> Iterator[Finding]:
    """Below one second W1 says more."""
    for service, watch in _watched(subject):
        if _TOO_HASTY <= watch.down_after < _HASTY:
            what = f"calls a master down after {watch.down_after} ms: a failover may be followed by a second one"
            yield Finding(subject.watch_path(service, "down-after-milliseconds"), what)


@rule(
    "W12",
    "all replicas resynchronise at once",
    reason="after a failover each of them drops its data and loads the new master's: nobody serves reads meanwhile",
    source="redis.io, Sentinel: parallel-syncs",
    remedy="use 1; it costs time after a failover, and nothing else",
    directives=("sentinel parallel-syncs",),
)
def all_at_once(subject: Subject) -> Iterator[Finding]:
    """With one replica there is nothing to do one after the other."""
    for service, watch in _watched(subject):
        replicas = len(service.processes) - 1
        if watch.parallel_syncs >= replicas > 1:
            what = f"lets {watch.parallel_syncs} of {replicas} replicas resynchronise at once: none is left for reads"
            yield Finding(subject.watch_path(service, "parallel-syncs"), what)


@rule(
    "W13",
    "addresses behind NAT or in containers that are announced one way only",
    reason="Sentinels tell clients the address that a server connects from or announces, and servers and "
    "Sentinels meet at announced ones: with one of them missing they end up at an address that only the"
    " container knows",
    source="redis.io, Sentinel: Docker, NAT, and possible issues",
    remedy="announce both: replica-announce-ip in the service, announce-ip in the Sentinels' 'config:'",
    directives=("replica-announce-ip", "replica-announce-port", "sentinel announce-ip", "sentinel announce-port"),
    needs="machine",
)
def announced_one_way(subject: Subject) -> Iterator[Finding]:
    """Who binds to another address than the machine's is behind NAT."""
    sentinels = next(subject.given_to_sentinels("sentinel announce-ip"), None)
    for service, _ in _watched(subject):
        places = [subject.place(process, "replica-announce-ip") for process in service.processes]
        place = next(filter(None, places), None)
        if place and not sentinels:
            yield Finding(place, "announces an address, but the Sentinels announce none", "add 'announce-ip:' there")
        if sentinels and not place:
            what = f"announces an address, but the servers of '{service.name}' announce none"
            yield Finding(subject.path(sentinels), what, "add 'replica-announce-ip:' to the service's 'config:'")
        silent = [each for each in service.processes if not subject.value(each, "replica-announce-ip")]
        hidden = next((each for each in silent if _behind(subject, each)), None)
        if hidden:
            what = f"leaves out {hidden.endpoint.address}: Sentinels learn another address of its replicas"
            yield Finding(("services", service.name, "bind"), what, "add '{{ address }}', or 'replica-announce-ip:'")


def _behind(subject: Subject, process: Process) -> bool:
    given = subject.setting(process, "bind")
    if given is None or (addresses := {word.lstrip("-") for word in bound(process)}) & _EVERYWHERE:
        return False
    return process.endpoint.address not in addresses and not all(word.startswith("127.") for word in addresses)


@rule(
    "W14",
    "a failover that is given up too early",
    reason="Sentinel gives up an election after failover-timeout, at most 10 s, and a promotion after it",
    source="sentinel.c: sentinelFailoverWaitStart, sentinelHandleConfiguration",
    remedy="use 10000 or more, better twice what a full synchronisation takes",
    directives=("sentinel failover-timeout",),
)
def given_up(subject: Subject) -> Iterator[Finding]:
    """How long a synchronisation takes is not in the file; that an election takes its time is."""
    for service, watch in _watched(subject):
        if watch.failover_timeout < _ELECTION:
            what = f"gives an election up after {watch.failover_timeout} ms"
            yield Finding(subject.watch_path(service, "failover-timeout"), what)


@rule(
    "W19",
    "an even number of Sentinels",
    reason="four may lose no more than three may: the majority of four is three; and halves that are cut off "
    "from each other elect nobody",
    source="sentinel.c: sentinelGetLeader",
    remedy="add one or take one away",
    directives=("sentinel monitor",),
)
def even(subject: Subject) -> Iterator[Finding]:
    """Two are too few in the first place."""
    count = len(subject.deployment.sentinel.machines) if subject.deployment.sentinel else 0
    if count > 3 and count % 2 == 0:
        what = f"of {count} no more may be lost than of {count - 1}: the majority is {majority(count)}"
        yield Finding(("sentinel", "machines"), what)
