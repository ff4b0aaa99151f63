"""Writes down when each task begins; tests/bench/journal.py reads it."""

from __future__ import annotations

import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: bench_journal
type: aggregate
short_description: Start times of tasks
description: Appends a line for each task to the file that BENCH_JOURNAL names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """One line a task, one at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "bench_journal"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        """A task begins."""
        _note(task.get_name())

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002
        """The run is over."""
        _note("")


def _note(name: str) -> None:
    line = f"task\t{time.time():.6f}\t{name}\n".encode()
    handle = os.open(os.environ["BENCH_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)
