"""A fence: the directives that make one, and their values; apart from handover.py, for who only looks for one."""

from __future__ import annotations

MIN_REPLICAS, MAX_LAG = "min-replicas-to-write", "min-replicas-max-lag"
FENCE = 1000
"""More replicas than there ever are. Found in a running value or in a file, it was left by a run that was killed."""
FENCE_LAG = 10
"""Seconds; Redis' own default of min-replicas-max-lag, 0 would disable the fence."""
