"""Rules that only a machine can answer; the pre-flight (``check --hosts``) judges them."""

from __future__ import annotations

from redis_fleet.rules.rule import enforced_elsewhere

_PREFLIGHT = "the pre-flight: check --hosts"

enforced_elsewhere(
    "W7",
    "more clients than open files",
    reason="the server needs maxclients + 32 open files; with fewer it lowers maxclients by itself, and CONFIG SET is "
    "refused",
    source="measured on redis 7.0.15; server.c: adjustOpenFilesLimit",
    remedy="raise LimitNOFILE of the unit (redis-fleet's own units do it by themselves), or lower maxclients",
    directives=("maxclients",),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W8",
    "kernel settings that Redis warns of",
    reason="a listen queue shorter than tcp-backlog drops connections in a rush; without overcommit_memory 1 a"
    " fork may fail; transparent huge pages and swapping make answers slow",
    source="redis-server --check-system (7.0 and newer); server.c: linuxMemoryWarnings, checkTcpBacklogSettings",
    remedy="sysctl net.core.somaxconn, vm.overcommit_memory=1; transparent_hugepage=madvise; no swap",
    directives=("tcp-backlog", "disable-thp"),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W9",
    "a unit that does not wait for the last save",
    reason="systemd kills a server that saves longer than TimeoutStopSec, and what was not saved is lost",
    source="systemd.service(5); Debian's unit says 0, which is no limit",
    remedy="TimeoutStopSec=infinity (redis-fleet's own units have it)",
    directives=("save", "shutdown-timeout"),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W29",
    "as many I/O threads as cores, or more",
    reason="the main thread and the background threads need a core of their own; threads that spin for one "
    "make it slow",
    source="redis.conf: io-threads",
    remedy="leave at least one core free: 2 or 3 I/O threads of 4 cores, 6 of 8",
    directives=("io-threads",),
    needs="machine",
    elsewhere=_PREFLIGHT,
)

enforced_elsewhere(
    "W30",
    "a disk that a save or rewrite may fill",
    reason="a new RDB or AOF is written beside the old one; on a full disk saving fails, and with "
    "stop-writes-on-bgsave-error the master refuses writes",
    source="redis.io, persistence; redis.conf: stop-writes-on-bgsave-error",
    remedy="have room for three times the data: the old file, the new one, and what is written meanwhile",
    directives=("dir", "save", "appendonly"),
    needs="machine",
    elsewhere=_PREFLIGHT,
)
