"""Where an authority of one's own is kept: a folder of the controller, its owner's alone, that no repository takes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from redis_fleet.agent.secret import Secret
from redis_fleet.certificates.authority import Pair, found
from redis_fleet.certificates.leaf import UnreadableError

CERTIFICATE, KEY = "authority.pem", "authority.key"


def read(folder: str) -> Pair | None:
    """Return the authority in a folder; None where there is none. Raises UnreadableError."""
    place = Path(folder)
    try:
        certificate, key = ((place / name).read_text(encoding="ascii") for name in (CERTIFICATE, KEY))
    except FileNotFoundError:
        if (place / CERTIFICATE).exists() != (place / KEY).exists():
            missing = KEY if (place / CERTIFICATE).exists() else CERTIFICATE
            raise UnreadableError(f"{place / missing} is gone, and what it signed is still in use") from None
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no PEM"
        raise UnreadableError(f"the authority in {folder} cannot be read: {reason}") from None
    return Pair(certificate, Secret(key))


def ensure(folder: str, name: str) -> Pair:
    """Return the authority in a folder, made first where there is none; runs that do it at once get the same one."""
    place = Path(folder)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = read(folder)
        if known:
            return known
        made = found(name)
        (place / ".gitignore").write_text("*\n", encoding="ascii")
        _write(place / KEY, made.key.reveal())
        _write(place / CERTIFICATE, made.certificate)
        return made
    finally:
        os.close(lock)


def _write(path: Path, text: str) -> None:
    staged = path.with_name(f".{path.name}")
    handle = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
