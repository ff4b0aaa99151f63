"""Where an authority of one's own is kept: a folder of the controller, its owner's alone, that no repository takes.

Another one takes its place in three steps, with a deployment after each: all believe both, then the next one signs,
then nobody believes the previous one any more. So at no time is anybody met whom he does not believe.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis_fleet.agent.secret import Secret
from redis_fleet.certificates.authority import Pair, found
from redis_fleet.certificates.leaf import UnreadableError

_SIGNING, _NEXT, _PREVIOUS = "authority.pem", "next.pem", "previous.pem"
_KEY = "-----BEGIN PRIVATE KEY-----"
ALONE, BELIEVED, SIGNING = "alone", "believed", "signing"
"""There is one authority; there is a next one, which is believed and does not sign yet; it signs, and the previous one
is still believed."""


@dataclass(frozen=True)
class Authority:
    """Who signs, and everybody who is believed (PEM); ``phase`` is one of the words above.

    ``trusted`` signs whom even those believe that have not heard of the latest step.
    """

    signing: Pair
    believed: str = field(repr=False)
    trusted: Pair
    phase: str = ALONE


def read(folder: str) -> Authority | None:
    """Return the authority in a folder; None where there is none. Raises UnreadableError."""
    signing = _pair(Path(folder, _SIGNING))
    if signing is None:
        return None
    upcoming, previous = _pair(Path(folder, _NEXT)), _pair(Path(folder, _PREVIOUS))
    phase = BELIEVED if upcoming else SIGNING if previous else ALONE
    believed = dict.fromkeys(each.certificate for each in (signing, upcoming, previous) if each)
    return Authority(signing, "".join(believed), previous or signing, phase)


def ensure(folder: str, name: str) -> Authority:
    """Return the authority in a folder, made first where there is none; runs that do it at once get the same one."""
    with _alone(folder):
        known = read(folder)
        if known is None:
            Path(folder, ".gitignore").write_text("*\n", encoding="ascii")
            _write(Path(folder, _SIGNING), found(name))
            known = read(folder)
    assert known
    return known


def rotate(folder: str, name: str) -> Authority:
    """Take the next step towards another authority; returns how it is then. Raises UnreadableError, LookupError."""
    with _alone(folder):
        known = read(folder)
        if known is None:
            raise LookupError(folder)
        signing, upcoming, previous = (Path(folder, each) for each in (_SIGNING, _NEXT, _PREVIOUS))
        if known.phase == ALONE:
            _write(upcoming, found(name))
        elif known.phase == BELIEVED:
            # The previous one first: killed in between, both are still believed.
            _write(previous, known.signing)
            upcoming.replace(signing)
        else:
            previous.unlink()
        after = read(folder)
    assert after
    return after


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _pair(path: Path) -> Pair | None:
    text = _text(path)
    if text is None:
        return None
    certificate, mark, key = text.partition(_KEY)
    if not mark:
        raise UnreadableError(f"{path} has no key")
    return Pair(certificate, Secret(mark + key))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no PEM"
        raise UnreadableError(f"{path} cannot be read: {reason}") from None


def _write(path: Path, what: Pair) -> None:
    text = what.certificate + what.key.reveal()
    staged = path.with_name(f".{path.name}")
    handle = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
