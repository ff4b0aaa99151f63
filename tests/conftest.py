"""What holds for all tests."""

from __future__ import annotations

import os
import signal

import pytest

# The background jobs of a script ignore Ctrl-C, and so would all that the tests start: pressing it would prove nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless it is asked for: that is nothing which lacks here, so it is not skipped."""
    if os.environ.get("REDIS_FLEET_LONG") == "1":
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)
