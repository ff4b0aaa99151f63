"""Files, folders and links that a machine is to have: put there whole or not at all, and only what differs."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from ..messages.files import File, Files, Folder, Link, Put
from ..messages.unit_handover import PYTHON, READY
from .files import ensure_owner, fingerprint, other_owner, replace
from .systemd import UNITS, systemctl


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
    for path in request.programs:
        if path in written and not dry:
            _compile(path)
    # Last: a unit that is not written yet still names what is in them.
    changed += written + [each for each in request.gone if _take_away(Path(each), dry)]
    return Put(tuple(changed), {each.path: fingerprint(each.path) for each in request.files})


def _folder(wanted: Folder, dry: bool) -> bool:
    path = Path(wanted.path)
    missing = not path.is_dir()
    if wanted.shared and not missing:
        return False
    if dry:
        return missing or other_owner(path, wanted.owner, wanted.mode)
    path.mkdir(parents=True, exist_ok=True)
    return ensure_owner(path, wanted.owner, wanted.mode) or missing


def _take_away(path: Path, dry: bool) -> bool:
    if not path.is_dir() or path.is_symlink():
        return False
    if not dry:
        shutil.rmtree(path)
    return True


def _compile(path: str) -> None:
    """Let the Python that will run a program keep what it compiled; without that it is only slower."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = [*PYTHON, path, READY]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)


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
        return not same or other_owner(path, wanted.owner, wanted.mode)
    if not same:
        replace(path, content, wanted.owner, wanted.mode)
        return True
    return ensure_owner(path, wanted.owner, wanted.mode)
