"""Folders, filesystems, and files that somebody else must bring."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname

from redis_fleet import kinds
from redis_fleet.model import Process
from redis_fleet.preflight.memory import limit, saves
from redis_fleet.preflight.rows import Answer, Row, Site, plural, section, size

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


def folders(process: Process) -> dict[str, str]:
    """Return the folders of a process by what they are for."""
    paths = process.paths
    named = {"configuration": dirname(paths.configuration), "data": paths.data, "log": dirname(paths.log)}
    return {use: path for use, path in named.items() if path.startswith("/")}


def needed(process: Process) -> dict[str, str]:
    """Return the files that must be there before a process starts, with the directive that names each."""
    found = ((name, process.setting(name)) for name in READ_AT_START)
    return {line[0]: name for name, setting in found if setting for line in setting.lines if line and line[0]}


def writable(site: Site) -> Iterator[Row]:
    """A server rewrites its file, and Sentinel must: a role that is not written down is lost at a restart (E10)."""
    bad = 0
    for process in site.processes:
        for use, path in folders(process).items():
            wrong = _unwritable(process, use, site.answer["folders"][path])
            if wrong:
                bad += 1
                rule = "E10" if use == "configuration" else "E34"
                yield site.fail(f"{use} of {process.name}", f"{path} {wrong[0]}", wrong[1], rule, section(process))
        if process.paths.configuration in site.answer["links"]:
            bad += 1
            seen = f"{process.paths.configuration} is a symbolic link, which CONFIG REWRITE replaces by a file"
            yield site.fail(f"configuration of {process.name}", seen, "put the file itself there", "E10")
    if not bad and site.processes:
        yield site.good("folders", f"data, log and configuration of {plural(len(site.processes), 'process')}", "E10")


def _unwritable(process: Process, use: str, found: Answer) -> tuple[str, str] | None:
    """Return what keeps a process from writing to a folder, and the fix."""
    if not found["folder"]:
        return f"cannot be made: {found['existing']} is no folder", "take it away or name another folder"
    if found["read_only"]:
        return f"is on {found['mount']}, mounted read-only", f"mount {found['mount']} read-write"
    if not found["writable"]:
        return f"cannot be written below {found['existing']}", "look at its mode, owner and attributes (lsattr)"
    # A deployment gives its own folders to the right user, but leaves shared and adopted ones as they are.
    if found["by_user"] is False and (process.adopted or use == "log"):
        return "cannot be written by the user that the server runs as", "chown it to that user, mode 0750"
    return None


def room(site: Site) -> Iterator[Row]:
    """A save writes beside the old file; on a full disk it fails and with it, by default, every write (E34, W30)."""
    for device, processes in _by_device(site).items():
        found = site.answer["folders"][processes[0].paths.data]
        free = found["free"] + sum(site.answer["folders"][each.paths.data]["held"] for each in processes)
        once = sum(limit(site, each) for each in processes if saves(each))
        twice = sum(limit(site, each) * _copies(each) for each in processes if saves(each))
        wanted = f", {size(twice)} wanted for files and their rewrites" if twice else ""
        seen = f"{size(found['free'])} of {size(found['size'])} free on {found['mount']}{wanted}"
        subject = "disk" if len(_by_device(site)) == 1 else f"disk {device}"
        fix = "a larger disk, or less maxmemory"
        if found["files_free"] is not None and found["files_free"] < 100:
            yield site.fail(subject, f"{found['files_free']} inodes left on {found['mount']}", "remove files", "E34")
        elif free < max(once, _LEAST):
            yield site.fail(subject, seen, fix, "E34")
        elif free < max(twice, found["size"] * _LEAST_SHARE):
            yield site.warn(subject, seen, fix, "W30")
        else:
            yield site.good(subject, seen, "W30")


def _by_device(site: Site) -> dict[str, list[Process]]:
    """Return the processes whose data folders share a filesystem, by its mount point."""
    found: dict[str, list[Process]] = {}
    for process in site.processes:
        if process.paths.data in site.answer["folders"]:
            found.setdefault(site.answer["folders"][process.paths.data]["mount"], []).append(process)
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


def filesystem(site: Site) -> Iterator[Row]:
    """Not every filesystem keeps what is written to it, or says the truth about fsync (W33, E38)."""
    for mount, processes in _by_device(site).items():
        kind = site.answer["folders"][processes[0].paths.data]["type"]
        wrong = _unfit(kind, processes)
        subject = "filesystem" if len(_by_device(site)) == 1 else f"filesystem {mount}"
        if wrong:
            seen = f"data on {kind} ({mount}): {wrong[0]}"
            lost = kind in _VOLATILE and any(map(saves, processes))
            yield site.fail(subject, seen, wrong[1], "E38") if lost else site.warn(subject, seen, wrong[1], "W33")
        else:
            yield site.good(subject, f"data on {kind} ({mount})", "W33")


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


def files(site: Site) -> Iterator[Row]:
    """What a directive names must be there and readable, or the server does not start (E35)."""
    found = {path: (name, process) for process in site.processes for path, name in needed(process).items()}
    bad = 0
    for path, (name, process) in found.items():
        fact = site.answer["needed"][path]
        wrong = "is not there" if not fact["there"] else "cannot be read by its user"
        if not fact["there"] or fact["readable"] is False:
            bad += 1
            fix = f"bring it before the deployment, readable for {site.fleet.engine}"
            yield site.fail(f"{name} of {process.name}", f"{path} {wrong}", fix, "E35", section(process))
        elif name == "loadmodule" and fact["no_exec"]:
            bad += 1
            seen = f"{path} is on a filesystem mounted noexec"
            fix = "put the module where programs may run, such as /usr/lib"
            yield site.fail(f"{name} of {process.name}", seen, fix, "E35", section(process))
    if found and not bad:
        yield site.good("files", f"{plural(len(found), 'file')} that directives name", "E35")


CHECKS = (writable, room, filesystem, files)
