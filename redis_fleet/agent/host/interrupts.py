"""Signals that come between two lines: what was just made would be known to nobody who takes it away again."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Hold back Ctrl-C, SIGTERM and SIGHUP until the end, or until the function that this gives is called.

    Each then does what it would have done, except that one without a handler raises SystemExit instead of ending this
    process at once. Whatever waits without a bound must stay outside: nothing interrupts it here. Only the main thread
    is ever interrupted, so that in others nothing is held back.
    """
    come: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, _: object) -> None:
        come.append(number)

    def let_in() -> None:
        while come:
            number = come.pop(0)
            if not callable(before[number]):
                raise SystemExit(128 + number)
            before[number](number, None)

    try:
        if threading.current_thread() is threading.main_thread():
            for number in map(int, _SIGNALS):
                handler = signal.getsignal(number)
                # What is ignored stays ignored (nohup); None is a handler that Python does not know.
                if handler not in (signal.SIG_IGN, None):
                    before[number] = handler
                    signal.signal(number, note)
        yield let_in
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        let_in()


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Give an empty folder that nobody else can read; it is removed whenever the end comes."""
    with ExitStack() as always:
        with held_back():
            folder = tempfile.mkdtemp(prefix=prefix)
            always.callback(shutil.rmtree, folder, ignore_errors=True)
        yield Path(folder)
