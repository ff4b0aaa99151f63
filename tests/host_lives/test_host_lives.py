"""Lives on hosts with systemd; not part of the quick tests, see tests/harness/parts.py."""

from __future__ import annotations

import os
from collections.abc import Callable

from tests.lives.test_lives import live

SECONDS = os.environ.get("REDIS_FLEET_HOST_LIVES", "120")
_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")


def test_no_life_on_hosts_goes_wrong(record_property: Callable[[str, object], None]) -> None:
    done = live("--hosts", _RELEASE, "--seconds", SECONDS, "--seed", "12")
    record_property("lives", done.stdout.strip().rpartition("\n")[2])
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 violations" in done.stdout
