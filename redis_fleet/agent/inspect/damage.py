"""Whether a server that is down ended because of its append-only file. Its log alone says so: to read the whole file
again would take as long as a start does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..conf import aof
from ..login import directives
from ..messages.process import ManagedProcess

_SAID = re.compile(r"(redis|valkey)-check-aof --fix")
"""What every version advises when it ends so (aof.c: loadSingleAppendOnlyFile)."""
_LAST = 20
_END = 8192


def says_damaged(lines: Iterable[str]) -> bool:
    """Say whether the last lines of a log are about an append-only file that cannot be read."""
    return any(_SAID.search(line) for line in list(lines)[-_LAST:])


def damaged(process: ManagedProcess) -> bool:
    """Say whether its last start failed so, and nobody has touched the file since then."""
    try:
        log = Path(process.log)
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _END))
            said = file.read().decode("utf-8", "replace").splitlines()
        return says_damaged(said) and _last_touched(process) <= log.stat().st_mtime
    except (OSError, ValueError):
        return False


def _last_touched(process: ManagedProcess) -> float:
    words = {line.name: line.words[0] for line in directives(process.configuration) if line.words}
    found = aof.layout(
        Path(words.get("dir", process.data)),
        words.get("appendfilename", "appendonly.aof"),
        words.get("appenddirname", "appendonlydir"),
    )
    return max((path.stat().st_ctime for path in (found.check, *found.files)), default=0.0) if found else 0.0
