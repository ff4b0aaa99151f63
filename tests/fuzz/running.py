"""How much is tried: little and always the same by default, much and different each time with REDIS_FLEET_LONG=1."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

LONG = os.environ.get("REDIS_FLEET_LONG") == "1"


def tried(usual: int, long: int, *, shrink: bool = True) -> settings:
    """Return settings with that many examples; ``shrink`` only where an example is cheap."""
    phases = (Phase.explicit, Phase.generate, *((Phase.shrink,) if shrink else ()))
    return settings(
        max_examples=long if LONG else usual,
        derandomize=not LONG,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        print_blob=LONG,
    )
