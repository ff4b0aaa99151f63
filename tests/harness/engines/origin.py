"""What all origins share: an engine's program with everything that it loads, in a folder that can be moved."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from subprocess import DEVNULL, TimeoutExpired, run

_START = """#!/bin/sh
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
exec {loader}"$here/lib/{program}" "$@"
"""
_OWN_LOADER = '"$here/lib/{loader}" --library-path "$here/lib" '


class OriginError(Exception):
    """A package, wheel or tool cannot be had; the text is one line."""


def command(*words: str, seconds: float = 300) -> str:
    """Run a program and return what it prints; raises OriginError with its last line of complaint."""
    if not shutil.which(words[0]):
        raise OriginError(f"{words[0]} is not installed")
    try:
        done = run(words, stdin=DEVNULL, capture_output=True, text=True, check=False, timeout=seconds)
    except TimeoutExpired as late:
        raise OriginError(f"{words[0]}: not done in {seconds:g} s") from late
    if done.returncode:
        complaints = [line for line in done.stderr.splitlines() if re.match(r"(E:|ERROR)", line)]
        reason = complaints or done.stderr.splitlines() or [f"exit code {done.returncode}"]
        raise OriginError(f"{Path(words[0]).name}: {reason[0]}")
    return done.stdout


def keep(
    engine: str, program: Path, target: Path, *, loader: Path | None = None, libraries: Sequence[Path] = ()
) -> Path:
    """Copy a server into ``target/ENGINE-VERSION`` with small scripts that start it; returns that folder.

    With a ``loader`` the program runs on its own C library and the others given, not on this machine's. Which one it is
    (server, Sentinel, or what checks append-only files) it tells by the name it was started by, so that name is kept.
    """
    draft = target / engine
    (draft / "bin").mkdir(parents=True)
    (draft / "lib").mkdir()
    _copy((program, *libraries, *([loader] if loader else [])), draft / "lib")
    server, sentinel, checker = (f"{engine}-{role}" for role in ("server", "sentinel", "check-aof"))
    if program.name != server:
        (draft / "lib" / program.name).rename(draft / "lib" / server)
    (draft / "lib" / server).chmod(0o755)
    for name in (sentinel, checker):
        (draft / "lib" / name).symlink_to(server)
    start = _OWN_LOADER.format(loader=loader.name) if loader else ""
    for name in (server, sentinel, checker):
        script = draft / "bin" / name
        script.write_text(_START.format(loader=start, program=name))
        script.chmod(0o755)
    return draft.rename(target / f"{engine}-{version_of(draft / 'bin' / server)}")


def _copy(files: Iterable[Path], folder: Path) -> None:
    for file in files:
        shutil.copy(file, folder / file.name)


def version_of(server: Path) -> str:
    """Return the version that a server prints: ``Redis server v=7.0.15 sha=...``."""
    printed = command(str(server), "--version", seconds=30)
    found = re.search(r"\bv=(\d+(?:\.\d+)+)", printed)
    if not found:
        raise OriginError(f"{server.name} --version printed {printed.strip()!r}")
    return found[1]
