"""Rules about what the hardened unit of a process lets it do."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from redis_fleet.catalogue.unit_needs import needing
from redis_fleet.model import Setting
from redis_fleet.render.places import in_memory
from redis_fleet.render.unit_limits import FOLDERS, JUDGED, kept_from, shared_folder
from redis_fleet.rules.persistence import persists
from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.subject import Given, Subject

_SCRIPTS = needing("runs")


@rule(
    "E28",
    "what its own unit keeps a process from",
    reason="the unit lets a process see, write, execute and ask of the kernel what its directives need and no more; "
    "some of what can be described is not let through",
    source="systemd.exec(5): ProtectHome, PrivateTmp, ProtectSystem, CapabilityBoundingSet",
    remedy="use folders of the process's own, or let redis-fleet leave the unit alone ('adopted:')",
    directives=JUDGED,
    firm="the unit keeps the process from it, whatever is said here",
)
def kept_away(subject: Subject) -> Iterator[Finding]:
    """Of servers and Sentinels; in a sandbox and where somebody else wrote the unit nothing keeps them."""
    for each in _in_our_units(subject, *JUDGED):
        for what, remedy in kept_from(each.process, each.setting):
            yield Finding(subject.path(each), what, remedy)


@rule(
    "E54",
    "a folder of the system as a process's own",
    reason="the data folder is given to the server's user and closed to others, and a process may write to all of "
    "its folders: /srv or /var would be lost for the other programs of the machine; and in /var/log itself only root "
    "can make a file ('Can't open the log file')",
    source="redis-fleet's own; systemd.exec(5): ReadWritePaths; tried on Debian 12",
    remedy="use a folder below it with '{{ name }}' in it",
    directives=FOLDERS,
    firm="other programs of the machine need it",
)
def everybodys_folder(subject: Subject) -> Iterator[Finding]:
    """Also of a file in one, where the file alone is the process's own."""
    for each in _in_our_units(subject, *FOLDERS):
        if folder := shared_folder(each.setting):
            what = f"would make '{folder}', where others keep their files, the process's own"
            yield Finding(subject.path(each), what, f"write '{_own(folder, each.setting)}'")


@rule(
    "E55",
    "data that is kept in memory only",
    reason="a folder below /run is gone when the unit stops or the machine starts anew, and so is what a user of the "
    "system has in /dev/shm: the server comes back empty, and its replicas after it",
    source="systemd.exec(5): RuntimeDirectory, RemoveIPC",
    remedy="use a folder on a disk, such as below /srv; where nobody needs the data, say 'save: []' and no AOF",
    directives=("dir",),
)
def fleeting_data(subject: Subject) -> Iterator[Finding]:
    """Where something is saved at all; a Sentinel keeps nothing in its folder."""
    for each in subject.given("dir"):
        folder = "" if each.process.adopted or not each.process.paths.unit else in_memory(each.setting.word)
        if folder and persists(subject, each.process):
            yield Finding(subject.path(each), f"is below {folder}, which is memory: no save lasts longer than the unit")


@rule(
    "W45",
    "what a script that Sentinel calls may do",
    reason="it has the rights of Sentinel's unit: the user of the server, no sudo, no capabilities, no netlink (which "
    "'ip' needs), nothing to write but Sentinel's own folders, programs of the system's folders and its own alone; and "
    "what fails is told by Sentinel's log alone",
    source="sentinel.c: sentinelRunPendingScripts; systemd.exec(5): NoNewPrivileges, ExecPaths, "
    "RestrictAddressFamilies; tried on Debian 12",
    remedy="let it call over the network what has these rights, try it with a failover, and silence this",
    directives=_SCRIPTS,
)
def confined_scripts(subject: Subject) -> Iterator[Finding]:
    """What is in the script only its machine knows."""
    for each in subject.given_to_sentinels(*_SCRIPTS):
        if each.process.paths.unit and not each.process.adopted:
            what = "runs with the rights of Sentinel's unit: no sudo, no 'ip', nothing to write but Sentinel's folders"
            yield Finding(subject.path(each), what)


def _own(folder: str, setting: Setting) -> str:
    file = "" if setting.word.rstrip("/") == folder.rstrip("/") else f"/{basename(setting.word)}"
    return f"{folder.rstrip('/')}/redis/{{{{ name }}}}{file}"


def _in_our_units(subject: Subject, *names: str) -> Iterator[Given]:
    for each in (*subject.given(*names), *subject.given_to_sentinels(*names)):
        if each.process.paths.unit and not each.process.adopted and not each.setting.secret:
            yield each
