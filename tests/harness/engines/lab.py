"""The lab's binaries: found below .cache/engines, built there once for each origin."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.harness.engines import debian, wheels
from tests.harness.engines.origin import OriginError
from tests.harness.hosts.engine import ROOT
from tests.harness.hosts.images import alone

ENGINES = ROOT / ".cache" / "engines"
ORIGINS: dict[str, debian.Origin | wheels.Wheel] = {
    **{each.name: each for each in debian.RELEASES},
    **{each.name: each for each in wheels.WHEELS},
}
_TOGETHER = 3  # each waits for the network half of its time
_STAMP = "made-from"


@dataclass(frozen=True)
class Binary:
    """One engine of one origin.

    ``engine`` is ``redis`` or ``valkey``, ``version`` what ``--version`` says, ``origin`` a Debian release or a wheel.
    ``server`` and ``sentinel`` are executables (``sentinel`` is started without ``--sentinel``); ``stock`` holds the
    package's own redis.conf and sentinel.conf, nothing for a wheel.
    """

    engine: str
    version: str
    origin: str
    server: Path
    sentinel: Path
    stock: tuple[Path, ...]

    def __str__(self) -> str:
        return f"{self.engine}-{self.version}-{self.origin}"


@cache
def available() -> tuple[Binary, ...]:
    """Return what has been built, by engine and version. Builds nothing."""
    found = [_binary(server) for origin in ORIGINS for server in ENGINES.glob(f"{origin}/*/bin/*-server")]
    return tuple(sorted(found, key=lambda binary: (binary.engine, _numbers(binary.version), binary.origin)))


def provide() -> dict[str, str]:
    """Build every origin that is missing or made by another recipe; return what could not be had: origin → reason."""
    with ThreadPoolExecutor(_TOGETHER) as pool:
        reasons = list(pool.map(_ensure, ORIGINS))
    available.cache_clear()
    return {name: reason for name, reason in zip(ORIGINS, reasons, strict=True) if reason}


def complete() -> bool:
    """Say whether every origin has been built with today's recipe."""
    return all(_made(name) for name in ORIGINS)


def forget(name: str) -> None:
    """Remove one origin, so that it is built anew: of a release that moves on, for instance."""
    shutil.rmtree(ENGINES / name, ignore_errors=True)
    available.cache_clear()


def _ensure(name: str) -> str:
    """Build one origin unless it is there; returns the reason when that fails, in one line."""
    with alone(f"engines-{name}"):
        if _made(name):
            return ""
        shutil.rmtree(ENGINES / name, ignore_errors=True)
        ENGINES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=ENGINES) as folder:
            made = Path(folder) / "made"
            made.mkdir(mode=0o755)
            try:
                ORIGINS[name].build(made, Path(folder))
            except OriginError as error:
                return str(error)
            (made / _STAMP).write_text(_recipe(name))
            made.rename(ENGINES / name)
    return ""


def _made(name: str) -> bool:
    stamp = ENGINES / name / _STAMP
    return stamp.exists() and stamp.read_text() == _recipe(name)


def _recipe(name: str) -> str:
    """Hash what an origin is built by."""
    digest = hashlib.sha256(repr(ORIGINS[name]).encode())
    for module in ("origin.py", "debian.py", "wheels.py"):
        digest.update(Path(__file__).with_name(module).read_bytes())
    return digest.hexdigest()[:16]


def _binary(server: Path) -> Binary:
    """Describe what lies at ``ORIGIN/ENGINE-VERSION/bin/ENGINE-server``."""
    home = server.parents[1]
    engine, version = home.name.split("-", 1)
    stock = tuple(sorted((home / "etc").rglob("*.conf")))
    return Binary(engine, version, home.parent.name, server, server.with_name(f"{engine}-sentinel"), stock)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
