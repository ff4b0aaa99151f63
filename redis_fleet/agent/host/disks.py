"""What is known of a folder before it is made, and of a file that somebody else must bring."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from ..messages.host_facts import FileFacts, FolderFacts
from .files import text_of


def folder_facts(path: str, user: str) -> FolderFacts:
    """Return what holds for a folder, or for the nearest folder above it that exists."""
    existing = Path(path)
    while not os.path.exists(existing) and existing != existing.parent:  # noqa: PTH110 (Path's raises for no right)
        existing = existing.parent
    room = os.statvfs(str(existing))
    kind, mount = _filesystem(str(existing))
    there = str(existing) == path
    return FolderFacts(
        existing=str(existing),
        free=room.f_bavail * room.f_frsize,
        size=room.f_blocks * room.f_frsize,
        files_free=room.f_favail if room.f_files else None,
        held=_held(path) if there else 0,
        type=kind,
        mount=mount,
        read_only=bool(room.f_flag & os.ST_RDONLY),
        no_exec=bool(room.f_flag & os.ST_NOEXEC),
        folder=existing.is_dir(),
        writable=os.access(str(existing), os.W_OK),
        by_user=_may(existing, user, 2) if there else None,
    )


def file_facts(path: str, user: str) -> FileFacts:
    """Return whether a file (or folder) is there, whether that user may read it (None: no such user), and no_exec."""
    place = Path(path)
    try:
        there = place.exists()
        no_exec = there and bool(os.statvfs(path).f_flag & os.ST_NOEXEC)
    except OSError:
        return FileFacts(there=False)
    return FileFacts(there, _reaches(place, user) if there else None, no_exec)


def _reaches(place: Path, user: str) -> bool | None:
    """Say whether a user gets to a file through all its folders, and may read it."""
    rights = [_may(folder, user, 1) for folder in place.resolve().parents] + [_may(place, user, 4)]
    return None if None in rights else all(rights)


def _may(place: Path, user: str, right: int) -> bool | None:
    """Say whether a user has a right (4 read, 2 write, 1 enter) by mode and owner; None when there is no such user."""
    try:
        who = pwd.getpwnam(user)
    except KeyError:
        return None
    status = place.stat()
    groups = os.getgrouplist(user, who.pw_gid)
    shift = 6 if status.st_uid == who.pw_uid else 3 if status.st_gid in groups else 0
    return who.pw_uid == 0 or bool(stat.S_IMODE(status.st_mode) >> shift & right)


def _held(path: str) -> int:
    """Return the bytes of all files below a folder; one that vanishes meanwhile does not count."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118
            except OSError:
                continue
    return total


def _filesystem(path: str) -> tuple[str, str]:
    """Return type and mount point of the filesystem that holds a path: the last mounted of the closest."""
    real = os.path.realpath(path)
    best = ("", "")
    for line in (text_of("/proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        # proc(5): blanks in the mount point are written in octal.
        mount = before.split()[4].replace("\\040", " ")
        inside = real == mount or real.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best[1]):
            best = (after.split()[0], mount)
    return best
