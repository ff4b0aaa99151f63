"""Rules about the machines themselves, which the pre-flight (``check --hosts``) judges and no file can break."""

from __future__ import annotations

from redis_fleet.platform import default
from redis_fleet.rules.rule import enforced_elsewhere

_PREFLIGHT = "the pre-flight: check --hosts"
# Rules are worded for the platform that is most often there; the pre-flight itself names what a machine has.
_PROVIDER = default("redis").provider
_LISTENS = "the server refuses to start without its port"

enforced_elsewhere(
    "E30",
    "a machine that cannot be reached as root",
    reason="a deployment works on all machines or none: it stops before the first change when one does not answer",
    source="redis-fleet's own",
    remedy="see its address, ssh (ansible_user, key, -k) and sudo (-K)",
    needs="machine",
    firm="nothing can be deployed to it",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "E31",
    "a machine without what a deployment stands on",
    reason="units need systemd, what runs on a machine needs Python 3.9, servers are the distribution's packages",
    source="redis-fleet's own",
    remedy="use a machine with systemd and one of the distributions that redis-fleet knows",
    needs="machine",
    firm="nothing can be deployed to it",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "E32",
    "a port that another program has",
    reason="the server cannot listen there and does not start",
    source="bind(2): EADDRINUSE; redis: 'Could not create server TCP listening socket'",
    remedy="end the other program, or give the process another port",
    directives=("port", "tls-port", "bind"),
    needs="machine",
    firm=_LISTENS,
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "E33",
    "a port that is not reached from a machine that needs it",
    reason="a replica without its master stays empty; Sentinels that do not reach a process or each other take it for "
    "dead, or elect nobody",
    source="redis.io, Sentinel: its ports and those of the servers must be open between all machines",
    remedy="open the ports of the description between all its machines, in both directions",
    directives=("port", "tls-port", "bind", "replicaof", "sentinel monitor"),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "E34",
    "a folder that cannot be written to, or a disk that is full",
    reason="the server does not start without its log or data folder; on a full disk no save and no write succeeds",
    source="redis.conf: dir, logfile, stop-writes-on-bgsave-error",
    remedy="mount it read-write, give it to the user that the server runs as, make room",
    directives=("dir", "logfile"),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "E35",
    "a file that a directive names and that is not there",
    reason="the server reads it when it starts, and ends",
    source="redis.conf: aclfile, loadmodule, tls-cert-file",
    remedy="bring it to the machine before the deployment, readable for the user that the server runs as",
    directives=("aclfile", "loadmodule", "tls-cert-file", "tls-key-file", "tls-ca-cert-file", "tls-ca-cert-dir"),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "E36",
    "an address that is not the machine's",
    reason="a server binds to it, and does not start where no interface has it",
    source="bind(2): EADDRNOTAVAIL",
    remedy="write an address that the machine has; behind NAT bind to the inner one and announce the outer one",
    directives=("bind", "replica-announce-ip", "sentinel announce-ip"),
    needs="machine",
    firm="the server refuses to start with it",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "E37",
    "more maxmemory than memory",
    reason="the servers of the machine may fill more than there is: the kernel ends one of them before any evicts",
    source="redis.conf: maxmemory",
    remedy="lower maxmemory, or move a server to another machine",
    directives=("maxmemory",),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "E38",
    "saved data in memory",
    reason="what a server saves to a tmpfs is gone after a reboot, and it comes back empty: as a master it "
    "empties its replicas",
    source="tmpfs(5)",
    remedy="put 'dir' on a disk",
    directives=("dir", "save", "appendonly"),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W31",
    "clocks that differ",
    reason="keys expire by the clock of the machine that holds them, since 7.0 at a time that the master said;"
    " a clock that is put right by a jump makes a Sentinel do nothing for 30 s (TILT)",
    source="redis.io, replication and Sentinel: TILT mode",
    remedy="keep the time of all machines by NTP",
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W32",
    "no time service",
    reason="without one clocks drift apart by seconds a week",
    source="redis-fleet's own",
    remedy=f"{_PROVIDER.command('systemd-timesyncd')}, or chrony",
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W33",
    "data on a filesystem that is not a disk",
    reason="a container's layer goes with the container, a network filesystem keeps the server waiting in fsync",
    source="redis.conf: appendfsync; redis.io, latency: do not use network disks",
    remedy="put 'dir' on a disk of the machine, or a volume",
    directives=("dir", "appendfsync"),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W34",
    f"a package that {_PROVIDER.title} has not heard of",
    reason="a deployment reads the package lists and installs it, if the machine's sources have it",
    source="redis-fleet's own",
    remedy=f"see {_PROVIDER.sources}, and that the machine reaches its mirror",
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W35",
    "a port that only redis-fleet would reach",
    reason="verify and switchover work from one of the machines, and stand in for a client there",
    source="redis-fleet's own",
    remedy="open the ports of the description between all its machines, or let the controller reach them",
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W36",
    "more servers than cores",
    reason="each server runs its commands in one thread: under load they wait for each other, and for forks",
    source="redis.io, latency",
    remedy="fewer servers on the machine, or more cores",
    directives=("io-threads",),
    needs="machine",
    elsewhere=_PREFLIGHT,
)
