"""Files, folders and links of a machine: read, and put there whole or not at all, and only what differs."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from pathlib import Path

from ..messages.files import File, Files, Folder, Link, Put
from .systemd import UNITS, systemctl


def fingerprint(path: str) -> str | None:
    """Return the SHA-256 of a file; None when it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None


def text_of(path: str) -> str | None:
    """Return the text of a file; None when it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def put(request: Files, dry: bool = False) -> Put:
    """Make a machine have folders, files and links, with ``dry`` not; a unit that was written is enabled."""
    linked = [each.path for each in request.links if _link(each, dry)]
    changed = [each.path for each in request.folders if _folder(each, dry)] + linked
    written = [each.path for each in request.files if _file(each, dry)]
    if request.supervised and not dry:
        units = [path.rpartition("/")[2] for path in written if path.startswith(UNITS)]
        if units:
            # Enabling makes systemd read its files again as well: once instead of for each.
            systemctl("enable", "--quiet", *units)
        elif any(path.startswith(UNITS) for path in linked):
            systemctl("daemon-reload")
    changed += written
    return Put(tuple(changed), {each.path: fingerprint(each.path) for each in request.files})


def _other_owner(path: Path, owner: str, mode: int) -> bool:
    """Say whether a path has another owner or mode; an owner that does not exist yet (a dry run) is another one."""
    found = path.stat()
    try:
        other = bool(owner) and found.st_uid != pwd.getpwnam(owner).pw_uid
    except KeyError:
        return True
    return other or stat.S_IMODE(found.st_mode) != mode


def _ensure_owner(path: Path, owner: str, mode: int) -> bool:
    """Give a path its owner and mode; says whether it had others. Raises KeyError for an unknown owner."""
    if not _other_owner(path, owner, mode):
        return False
    if owner:
        user = pwd.getpwnam(owner)
        os.chown(str(path), user.pw_uid, user.pw_gid)
    path.chmod(mode)
    return True


def _folder(wanted: Folder, dry: bool) -> bool:
    path = Path(wanted.path)
    missing = not path.is_dir()
    if wanted.shared and not missing:
        return False
    if dry:
        return missing or _other_owner(path, wanted.owner, wanted.mode)
    path.mkdir(parents=True, exist_ok=True)
    return _ensure_owner(path, wanted.owner, wanted.mode) or missing


def _link(wanted: Link, dry: bool) -> bool:
    path = Path(wanted.path)
    if path.is_symlink() and str(path.readlink()) == wanted.target:
        return False
    if not dry:
        staged = path.with_name(path.name + ".redis-fleet")
        staged.unlink(missing_ok=True)
        staged.symlink_to(wanted.target)
        staged.rename(path)
    return True


def _file(wanted: File, dry: bool) -> bool:
    path = Path(wanted.path)
    content = wanted.content.reveal().encode("utf-8", "surrogateescape")
    same = path.is_file() and path.read_bytes() == content
    if dry:
        return not same or _other_owner(path, wanted.owner, wanted.mode)
    if not same:
        replace(path, content, wanted.owner, wanted.mode)
        return True
    return _ensure_owner(path, wanted.owner, wanted.mode)


def replace(path: Path, content: bytes, owner: str, mode: int, like: os.stat_result | None = None) -> None:
    """Write a file beside the old one, bring it to disk and take its place; a crash leaves the old or the new one.

    ``like`` gives user and group to it when no owner is named.
    """
    staged = path.with_name(path.name + ".redis-fleet")
    staged.unlink(missing_ok=True)
    # Born with its mode: a password is never readable by others, not even for a moment.
    handle = os.open(str(staged), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if like and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(str(staged), like.st_uid, like.st_gid)
    _ensure_owner(staged, owner, mode)
    staged.rename(path)
    folder = os.open(str(path.parent), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
