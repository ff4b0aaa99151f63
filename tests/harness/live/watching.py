"""A watcher that reads the arguments of every process on this machine, all the time, and tells who shows a secret."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

# Shorter than any Python process lives, and most of the time free for what is watched.
_PAUSE = 0.01


class ArgumentsWatcher:
    """Inside its ``with`` block it looks at /proc/*/cmdline again and again; ``caught`` are the lines with a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Look for these texts."""
        self._secrets = [secret.encode() for secret in secrets]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.caught: set[str] = set()
        self.rounds = 0
        self.seen: set[bytes] = set()

    def __enter__(self) -> ArgumentsWatcher:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_PAUSE):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                self._look(entry)
            self.rounds += 1

    def _look(self, entry: Path) -> None:
        try:
            argv = entry.read_bytes()
        except OSError:
            return
        self.seen.add(argv)
        if any(secret in argv for secret in self._secrets):
            self.caught.add(argv.replace(b"\0", b" ").decode(errors="replace"))
