"""What holds for all tests."""

from __future__ import annotations

import os
import signal

import pytest

from redis_fleet.loopback import PORTS

# The background jobs of a script ignore Ctrl-C, and so would all that the tests start: pressing it would prove nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _share_ports() -> None:
    """Give each worker ports of its own: what one stopped for a moment, another must not take."""
    first, last = map(int, os.environ.get(PORTS, "10000-32767").split("-"))
    size = (last - first + 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first += size * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ[PORTS] = f"{first}-{first + size - 1}"


_share_ports()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless it is asked for: that is nothing which lacks here, so it is not skipped."""
    if os.environ.get("REDIS_FLEET_LONG") == "1":
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)
