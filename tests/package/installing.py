"""The package as a user gets it: built from a copy of this checkout, installed alone, started in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from redis_fleet.project import ROOT
from tests.harness.done import Done

BUILT_WITHIN = 120.0
RAN_WITHIN = 240.0
# What people have in a checkout and nobody else may get.
DECOYS = (
    "inventory/.secrets/orders",
    "inventory/mine.redis.yml",
    "playbooks/__pycache__/left.pyc",
    "redis_fleet/agent/__pycache__/left.pyc",
    "tests/apps/blog/__pycache__/left.pyc",
)
_PLAYBOOK = """\
import sys
from ansible.cli.playbook import main
sys.exit(main())
"""


def checkout(folder: Path) -> Path:
    """Copy this checkout as a new clone would have it, with what people leave in theirs; return the copy."""
    copy = folder / "checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", ".cache", ".*_cache", "__pycache__", ".secrets", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=ignored)
    for name in DECOYS:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("not for others\n", encoding="utf-8")
    return copy


def build(source: Path, target: Path, kind: str) -> Path:
    """Build ``wheel`` or ``sdist`` without downloading anything; return the one file."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, timeout=BUILT_WITHIN)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = target.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return file


def unpacked(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist; return the one folder in it."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return source


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel, and an empty folder to work in.

    The packages that redis-fleet needs come from the environment that runs this; redis-fleet does not: its editable
    install is a .pth file, and those are read in an environment's own folder alone.
    """

    home: Path
    work: Path
    environment: Mapping[str, str]

    def run(self, *words: object, within: float = RAN_WITHIN, **more: str) -> Done:
        """Run a program of the environment, or one of this machine, for ``within`` seconds at most."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.work,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=within,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def fleet(self, *words: object, within: float = RAN_WITHIN) -> Done:
        """Run ``redis-fleet WORDS``."""
        return self.run(self.home / "bin" / "redis-fleet", *words, within=within)

    def shell(self, script: str, within: float = RAN_WITHIN, **more: str) -> Done:
        """Run what somebody types into a shell."""
        return self.run("bash", "-ec", script, within=within, **more)


def install(wheel: Path, folder: Path) -> Installed:
    """Install the wheel alone into a new environment."""
    home, work = folder / "venv", folder / "work"
    venv.create(home, with_pip=True, symlinks=True)
    python = home / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=BUILT_WITHIN)
    (own,) = home.glob("lib/python*/site-packages")
    (own / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    program = home / "bin" / "ansible-playbook"
    program.write_text(f"#!{python}\n{_PLAYBOOK}", encoding="utf-8")
    program.chmod(0o755)
    work.mkdir()
    return Installed(home, work, _environment(folder, home))


def _environment(folder: Path, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "REDIS_FLEET_"))}
    kept.pop("PYTHONPATH", None)
    own = {"HOME": "home", "XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp"}
    for name in own.values():
        (folder / name).mkdir()
    here = str(Path(sys.executable).parent)
    others = [each for each in kept["PATH"].split(os.pathsep) if each != here]
    path = os.pathsep.join([str(home / "bin"), *others])
    return {**kept, **{name: str(folder / place) for name, place in own.items()}, "PATH": path}
