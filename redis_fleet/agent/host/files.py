"""Files, folders and links of a machine: read, and put there whole or not at all, and only what differs."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from pathlib import Path
from typing import Any

from .systemd import UNITS, systemctl

Answer = dict[str, Any]


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


def put(request: Answer, dry: bool = False) -> Answer:
    """Make a machine have ``folders``, ``files`` and ``links``; returns what was ``changed`` and each file's SHA-256.

    A folder is path, owner, mode and ``shared`` (made when missing, else left as it is); a file path, owner, mode and
    content (text); a link path and target. An empty owner leaves the owner as it is. With ``dry`` nothing is touched.
    A unit that was written is enabled.
    """
    linked = [each["path"] for each in request["links"] if _link(each, dry)]
    changed = [each["path"] for each in request["folders"] if _folder(each, dry)] + linked
    written = [each["path"] for each in request["files"] if _file(each, dry)]
    if request["supervised"] and not dry:
        units = [path.rpartition("/")[2] for path in written if path.startswith(UNITS)]
        if units:
            # Enabling makes systemd read its files again as well: once instead of for each.
            systemctl("enable", "--quiet", *units)
        elif any(path.startswith(UNITS) for path in linked):
            systemctl("daemon-reload")
    changed += written
    prints = {each["path"]: fingerprint(each["path"]) for each in request["files"]}
    return {"changed": changed, "fingerprints": prints}


def _unsettled(path: Path, owner: str, mode: int) -> bool:
    """Say whether a path has another owner or mode; an owner that does not exist yet (a dry run) is another one."""
    found = path.stat()
    try:
        other = bool(owner) and found.st_uid != pwd.getpwnam(owner).pw_uid
    except KeyError:
        return True
    return other or stat.S_IMODE(found.st_mode) != mode


def _settle(path: Path, owner: str, mode: int) -> bool:
    """Give a path its owner and mode; says whether it had others. Raises KeyError for an unknown owner."""
    if not _unsettled(path, owner, mode):
        return False
    if owner:
        user = pwd.getpwnam(owner)
        os.chown(str(path), user.pw_uid, user.pw_gid)
    path.chmod(mode)
    return True


def _folder(wanted: Answer, dry: bool) -> bool:
    path = Path(wanted["path"])
    missing = not path.is_dir()
    if wanted.get("shared") and not missing:
        return False
    if dry:
        return missing or _unsettled(path, wanted["owner"], wanted["mode"])
    path.mkdir(parents=True, exist_ok=True)
    return _settle(path, wanted["owner"], wanted["mode"]) or missing


def _link(wanted: Answer, dry: bool) -> bool:
    path = Path(wanted["path"])
    if path.is_symlink() and str(path.readlink()) == wanted["target"]:
        return False
    if not dry:
        staged = path.with_name(path.name + ".redis-fleet")
        staged.unlink(missing_ok=True)
        staged.symlink_to(wanted["target"])
        staged.rename(path)
    return True


def _file(wanted: Answer, dry: bool) -> bool:
    path = Path(wanted["path"])
    content = wanted["content"].encode("utf-8", "surrogateescape")
    same = path.is_file() and path.read_bytes() == content
    if dry:
        return not same or _unsettled(path, wanted["owner"], wanted["mode"])
    if not same:
        replace(path, content, wanted["owner"], wanted["mode"])
        return True
    return _settle(path, wanted["owner"], wanted["mode"])


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
    _settle(staged, owner, mode)
    staged.rename(path)
    folder = os.open(str(path.parent), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
