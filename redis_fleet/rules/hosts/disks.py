"""Folders, filesystems, and files that somebody else must bring."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname

from redis_fleet import kinds
from redis_fleet.agent.messages.host_facts import FolderFacts
from redis_fleet.catalogue import check
from redis_fleet.model import Process
from redis_fleet.rulebook import declare
from redis_fleet.rules.hosts.host import HostReport, Row, limit, on_hosts, plural, saves, section, size

# Directives whose value is a file that the server reads when it starts.
READ_AT_START = (
    "aclfile",
    "loadmodule",
    "tls-ca-cert-dir",
    "tls-ca-cert-file",
    "tls-cert-file",
    "tls-client-cert-file",
    "tls-client-key-file",
    "tls-dh-params-file",
    "tls-key-file",
)
_VOLATILE = ("tmpfs", "ramfs")
_LAYERED = ("overlay", "aufs")
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "9p")
_LEAST = 100 << 20
_LEAST_SHARE = 0.1


NOT_WRITABLE = declare(
    "E34",
    "a folder that cannot be written to, or a disk that is full",
    reason="the server does not start without its log or data folder; on a full disk no save and no write succeeds",
    source="redis.conf: dir, logfile, stop-writes-on-bgsave-error",
    remedy="mount it read-write, give it to the user that the server runs as, make room",
    directives=("dir", "logfile"),
    needs="machine",
)

FILE_MISSING = declare(
    "E35",
    "a file that a directive names and that is not there",
    reason="the server reads it when it starts, and ends",
    source="redis.conf: aclfile, loadmodule, tls-cert-file",
    remedy="bring it to the machine before the deployment, readable for the user that the server runs as",
    directives=("aclfile", "loadmodule", "tls-cert-file", "tls-key-file", "tls-ca-cert-file", "tls-ca-cert-dir"),
    needs="machine",
)

DATA_IN_MEMORY = declare(
    "E38",
    "saved data in memory",
    reason="what a server saves to a tmpfs is gone after a reboot, and it comes back empty: as a master it "
    "empties its replicas",
    source="tmpfs(5)",
    remedy="put 'dir' on a disk",
    directives=("dir", "save", "appendonly"),
    needs="machine",
)

UNFIT_FILESYSTEM = declare(
    "W33",
    "data on a filesystem that is not a disk",
    reason="a container's layer goes with the container, a network filesystem keeps the server waiting in fsync",
    source="redis.conf: appendfsync; redis.io, latency: do not use network disks",
    remedy="put 'dir' on a disk of the machine, or a volume",
    directives=("dir", "appendfsync"),
    needs="machine",
)

LITTLE_ROOM = declare(
    "W30",
    "a disk that a save or rewrite may fill",
    reason="a new RDB or AOF is written beside the old one; on a full disk saving fails, and with "
    "stop-writes-on-bgsave-error the master refuses writes",
    source="redis.io, persistence; redis.conf: stop-writes-on-bgsave-error",
    remedy="have room for three times the data: the old file, the new one, and what is written meanwhile",
    directives=("dir", "save", "appendonly"),
    needs="machine",
)


def folders(process: Process) -> dict[str, str]:
    """Return the folders of a process by what they are for."""
    paths = process.paths
    named = {"configuration": dirname(paths.configuration), "data": paths.data, "log": dirname(paths.log)}
    return {use: path for use, path in named.items() if path.startswith("/")}


def needed(process: Process) -> dict[str, str]:
    """Return the files that must be there before a process starts, with the directive that names each."""
    found = ((name, process.setting(name)) for name in READ_AT_START)
    return {line[0]: name for name, setting in found if setting for line in setting.lines if line and line[0]}


@on_hosts(check.INCLUDED, NOT_WRITABLE)
def writable(host: HostReport) -> Iterator[Row]:
    """A server rewrites its file, and Sentinel must: a role that is not written down is lost at a restart."""
    bad = 0
    for process in host.processes:
        for use, path in folders(process).items():
            wrong = _unwritable(process, use, host.facts.folders[path])
            if wrong:
                bad += 1
                rule = check.INCLUDED if use == "configuration" else NOT_WRITABLE
                yield host.breaks(f"{use} of {process.name}", f"{path} {wrong[0]}", wrong[1], rule, section(process))
        if process.paths.configuration in host.facts.links:
            bad += 1
            seen = f"{process.paths.configuration} is a symbolic link, which CONFIG REWRITE replaces by a file"
            yield host.breaks(f"configuration of {process.name}", seen, "put the file itself there", check.INCLUDED)
    if not bad and host.processes:
        yield host.holds(
            "folders", f"data, log and configuration of {plural(len(host.processes), 'process')}", check.INCLUDED
        )


def _unwritable(process: Process, use: str, found: FolderFacts) -> tuple[str, str] | None:
    """Return what keeps a process from writing to a folder, and the fix."""
    if not found.folder:
        return f"cannot be made: {found.existing} is no folder", "take it away or name another folder"
    if found.read_only:
        return f"is on {found.mount}, mounted read-only", f"mount {found.mount} read-write"
    if not found.writable:
        return f"cannot be written below {found.existing}", "look at its mode, owner and attributes (lsattr)"
    # A deployment gives its own folders to the right user, but leaves shared and adopted ones as they are.
    if found.by_user is False and (process.adopted or use == "log"):
        return "cannot be written by the user that the server runs as", "chown it to that user, mode 0750"
    return None


@on_hosts(NOT_WRITABLE, LITTLE_ROOM)
def room(host: HostReport) -> Iterator[Row]:
    """A save writes beside the old file; on a full disk it fails and with it, by default, every write."""
    for device, processes in _by_device(host).items():
        found = host.facts.folders[processes[0].paths.data]
        free = found.free + sum(host.facts.folders[each.paths.data].held for each in processes)
        once = sum(limit(host, each) for each in processes if saves(each))
        twice = sum(limit(host, each) * _copies(each) for each in processes if saves(each))
        wanted = f", {size(twice)} wanted for files and their rewrites" if twice else ""
        seen = f"{size(found.free)} of {size(found.size)} free on {found.mount}{wanted}"
        subject = "disk" if len(_by_device(host)) == 1 else f"disk {device}"
        fix = "a larger disk, or less maxmemory"
        if found.files_free is not None and found.files_free < 100:
            yield host.breaks(subject, f"{found.files_free} inodes left on {found.mount}", "remove files", NOT_WRITABLE)
        elif free < max(once, _LEAST):
            yield host.breaks(subject, seen, fix, NOT_WRITABLE)
        elif free < max(twice, found.size * _LEAST_SHARE):
            yield host.breaks(subject, seen, fix, LITTLE_ROOM)
        else:
            yield host.holds(subject, seen, LITTLE_ROOM)


def _by_device(host: HostReport) -> dict[str, list[Process]]:
    """Return the processes whose data folders share a filesystem, by its mount point."""
    found: dict[str, list[Process]] = {}
    for process in host.processes:
        if process.paths.data in host.facts.folders:
            found.setdefault(host.facts.folders[process.paths.data].mount, []).append(process)
    return found


def _copies(process: Process) -> int:
    """Return how often its data may be on disk: an RDB and its successor; an AOF, its successor, and what is written
    meanwhile, which goes to both.
    """
    setting = process.setting("save")
    rdb = bool(setting and any(any(line) for line in setting.lines))
    aof = process.setting("appendonly")
    append_only = bool(aof and aof.lines[0][0].lower() == "yes")
    return {(True, False): 2, (False, True): 3, (True, True): 4}.get((rdb, append_only), 0)


@on_hosts(DATA_IN_MEMORY, UNFIT_FILESYSTEM)
def filesystem(host: HostReport) -> Iterator[Row]:
    """Not every filesystem keeps what is written to it, or says the truth about fsync."""
    for mount, processes in _by_device(host).items():
        kind = host.facts.folders[processes[0].paths.data].type
        wrong = _unfit(kind, processes)
        subject = "filesystem" if len(_by_device(host)) == 1 else f"filesystem {mount}"
        if wrong:
            seen = f"data on {kind} ({mount}): {wrong[0]}"
            lost = kind in _VOLATILE and any(map(saves, processes))
            yield (
                host.breaks(subject, seen, wrong[1], DATA_IN_MEMORY)
                if lost
                else host.breaks(subject, seen, wrong[1], UNFIT_FILESYSTEM)
            )
        else:
            yield host.holds(subject, f"data on {kind} ({mount})", UNFIT_FILESYSTEM)


def _unfit(kind: str, processes: list[Process]) -> tuple[str, str] | None:
    """Return what is wrong with a kind of filesystem for data, and the fix."""
    if kind in _VOLATILE:
        kept = "the data" if any(map(saves, processes)) else "what Sentinel remembers"
        lost = any(saves(each) or kinds.of(each).notes_in_file for each in processes)
        return (f"it is memory, and {kept} is gone after a reboot", "put 'dir' on a disk") if lost else None
    if kind in _LAYERED:
        return "a container's own layer goes with the container", "mount a volume there"
    if kind in _REMOTE or kind.startswith("fuse"):
        return "fsync waits for the network, and the server with it", "put 'dir' on a disk of the machine"
    return None


@on_hosts(FILE_MISSING)
def files(host: HostReport) -> Iterator[Row]:
    """What a directive names must be there and readable, or the server does not start."""
    found = {path: (name, process) for process in host.processes for path, name in needed(process).items()}
    bad = 0
    for path, (name, process) in found.items():
        fact = host.facts.needed[path]
        wrong = "is not there" if not fact.there else "cannot be read by its user"
        if not fact.there or fact.readable is False:
            bad += 1
            fix = f"bring it before the deployment, readable for {host.fleet.engine}"
            yield host.breaks(f"{name} of {process.name}", f"{path} {wrong}", fix, FILE_MISSING, section(process))
        elif name == "loadmodule" and fact.no_exec:
            bad += 1
            seen = f"{path} is on a filesystem mounted noexec"
            fix = "put the module where programs may run, such as /usr/lib"
            yield host.breaks(f"{name} of {process.name}", seen, fix, FILE_MISSING, section(process))
    if found and not bad:
        yield host.holds("files", f"{plural(len(found), 'file')} that directives name", FILE_MISSING)
