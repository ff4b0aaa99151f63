"""Rules about RDB and AOF: what is on disk, and what a restart makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.description.nodes import Path
from redis_fleet.model import Process, Service
from redis_fleet.rulebook import declare
from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.subject import Subject


def saves(subject: Subject, process: Process) -> bool:
    """Say whether a process has save points; what no version is known to leave out counts as there."""
    given = subject.setting(process, "save")
    if given:
        return any(word for words in given.lines for word in words)
    return subject.default("save") != "" or len(subject.versions) > 1


def persists(subject: Subject, process: Process) -> bool:
    """Say whether anything of a process is on disk when it starts again."""
    return saves(subject, process) or subject.value(process, "appendonly") == "yes"


def _where(subject: Subject, service: Service, name: str) -> Path:
    """Return where a directive of a service stands, or the service where it does not."""
    places = (subject.place(process, name) for process in service.processes)
    return next(filter(None, places), ("services", service.name))


@rule(
    "E1",
    "a replicated service without persistence whose unit starts it again at once",
    reason="a master that crashed is back, empty, before Sentinel has noticed, and its replicas empty "
    "themselves after it (measured: 0 keys on all three within 0.5 s)",
    source="measured on redis 7.0.15; redis.io, replication: safety of replication when master has persistence off",
    remedy="turn on save points or appendonly, or give the unit 'Restart=no' and silence this",
    directives=("save", "appendonly"),
)
def restarted_empty(subject: Subject) -> Iterator[Finding]:
    """Units of redis-fleet wait until a replica was promoted, or stay down; those of adopted processes are others'."""
    for service in subject.services:
        if len(service.processes) < 2 or service.external or not subject.adopted(service):
            continue
        if not all(persists(subject, process) for process in service.processes):
            what = "has neither save points nor an append only file, and the unit may start its master again at once"
            yield Finding(_where(subject, service, "save"), what)


@rule(
    "W2",
    "appendfsync always, except while a child process writes",
    reason="with no-appendfsync-on-rewrite nothing is synced while an RDB or AOF is written, not even with 'always': "
    "writes that were acknowledged in that time are gone after a power cut",
    source="aof.c: flushAppendOnlyFile",
    remedy="leave no-appendfsync-on-rewrite at no, or say 'appendfsync: everysec'",
    directives=("appendfsync", "no-appendfsync-on-rewrite"),
)
def always_but_not_now(subject: Subject) -> Iterator[Finding]:
    """Both are given on purpose: neither is a default."""
    for each in subject.given("no-appendfsync-on-rewrite"):
        always = subject.value(each.process, "appendfsync") == "always"
        if each.word == "yes" and always and subject.value(each.process, "appendonly") == "yes":
            yield Finding(subject.path(each), "takes back 'appendfsync always' whenever an RDB or AOF is written")


@rule(
    "W10",
    "disk errors that nobody is told of",
    reason="with stop-writes-on-bgsave-error no the server goes on for days while every save fails",
    source="measured on redis 7.0.15; redis.conf's own comments",
    remedy="leave stop-writes-on-bgsave-error at yes",
    directives=("stop-writes-on-bgsave-error",),
)
def silent_disk(subject: Subject) -> Iterator[Finding]:
    """Only where it differs from what every server does: who writes the default down has nothing to mend."""
    for each in subject.given("stop-writes-on-bgsave-error"):
        if each.word == "no" and saves(subject, each.process):
            what = "goes on taking writes when they can no longer be saved"
            yield Finding(subject.path(each), what, "leave it at yes, or watch rdb_last_bgsave_status and silence this")


AOF_BY_FILE = declare(
    "E13",
    "appendonly turned on in the file of a server that has data",
    reason="a server that starts with 'appendonly yes' and has only dump.rdb starts empty, and its next clean stop "
    "overwrites dump.rdb, too",
    source="measured on redis 6.0.16, 7.0.15, 8.0.2 and valkey 8.1.1",
    remedy="change it while the server runs: CONFIG SET appendonly yes, wait for the rewrite, CONFIG REWRITE",
    directives=("appendonly",),
    needs="plan",
    firm="it is never done: the plan always turns it on while the server runs",
    elsewhere="the plan, which turns it on while the server runs and waits for the file to be written",
)

DATA_LEFT_BEHIND = declare(
    "E14",
    "another dir, dbfilename, appenddirname or appendfilename without moving the data",
    reason="a server that starts with the new name finds no data and comes up empty",
    source="measured on redis 7.0.15 with appenddirname",
    remedy="stop the server, move the data, edit its file by hand, then change the description",
    directives=("dir", "dbfilename", "appenddirname", "appendfilename"),
    needs="plan",
    firm="the data would be gone",
    elsewhere="the plan, which refuses it",
)

AOF_COPIES_ALL = declare(
    "W15",
    "a restart of an AOF replica copies the whole dataset",
    reason="a replica with appendonly does not continue where it was: each restart is a full resynchronisation",
    source="measured on redis 6.0.16, 7.0.15, 8.0.2 and valkey 8.1.1",
    remedy="plan maintenance windows for it, or keep the AOF on some nodes and RDB on the others",
    directives=("appendonly",),
    needs="plan",
    elsewhere="the plan, which says so beside each restart of such a replica",
)


@rule(
    "W17",
    "replicas that keep an old dump.rdb although nothing is to be saved",
    reason="what the last full synchronisation sent stays in dump.rdb; a replica that starts again loads it, however "
    "old it is, and serves it until its master answers",
    source="replication.c: readSyncBulkPayload; redis issue 6386",
    remedy="add 'rdb-del-sync-files: yes'",
    directives=("save", "rdb-del-sync-files", "repl-diskless-load"),
)
def stale_dump(subject: Subject) -> Iterator[Finding]:
    """Where the replica writes what it is sent to disk, which is the default."""
    for service in subject.services:
        if len(service.processes) < 2 and not service.external:
            continue
        for process in service.processes:
            given = subject.setting(process, "save")
            if given is None or given.position is None or persists(subject, process):
                continue
            to_disk = subject.value(process, "repl-diskless-load") == "disabled"
            if to_disk and subject.value(process, "rdb-del-sync-files") != "yes":
                what = "saves nothing, but a replica keeps the dump.rdb of its last full synchronisation and loads it"
                yield Finding(_where(subject, service, "save"), what)
                break


@rule(
    "W20",
    "a lone server that keeps nothing over a restart, and is no cache",
    reason="every restart, crash and reboot loses all data; a cache would say so in its maxmemory-policy",
    source="redis.io, persistence",
    remedy="add save points or 'appendonly: yes'; where it is a cache, a 'maxmemory-policy:' that evicts",
    directives=("save", "appendonly", "maxmemory-policy"),
)
def nothing_kept(subject: Subject) -> Iterator[Finding]:
    """Replicated ones are left alone: there the copy is on another machine."""
    for each in subject.given("save"):
        lone = each.service and len(each.service.processes) == 1 and not each.service.external
        if (
            lone
            and subject.value(each.process, "maxmemory-policy") == "noeviction"
            and not persists(subject, each.process)
        ):
            yield Finding(subject.path(each), "leaves nothing of a lone server after a restart: there is no AOF either")


@rule(
    "W26",
    "an AOF that is never rewritten",
    reason="it grows with every write until the disk is full, and a start replays all of it",
    source="redis.conf: auto-aof-rewrite-percentage",
    remedy="give it a percentage, such as 100",
    directives=("auto-aof-rewrite-percentage",),
)
def endless_log(subject: Subject) -> Iterator[Finding]:
    """0 switches the rewriting off."""
    for each in subject.given("auto-aof-rewrite-percentage"):
        if each.word == "0" and subject.value(each.process, "appendonly") == "yes":
            yield Finding(subject.path(each), "lets the append only file grow for ever")
