"""Files of a machine: read, and put in the place of another whole or not at all."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from pathlib import Path


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


def other_owner(path: Path, owner: str, mode: int) -> bool:
    """Say whether a path has another owner or mode; an owner that does not exist yet (a dry run) is another one."""
    found = path.stat()
    try:
        other = bool(owner) and found.st_uid != pwd.getpwnam(owner).pw_uid
    except KeyError:
        return True
    return other or stat.S_IMODE(found.st_mode) != mode


def ensure_owner(path: Path, owner: str, mode: int) -> bool:
    """Give a path its owner and mode; says whether it had others. Raises KeyError for an unknown owner."""
    if not other_owner(path, owner, mode):
        return False
    if owner:
        user = pwd.getpwnam(owner)
        os.chown(str(path), user.pw_uid, user.pw_gid)
    path.chmod(mode)
    return True


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
    ensure_owner(staged, owner, mode)
    staged.rename(path)
    folder = os.open(str(path.parent), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
