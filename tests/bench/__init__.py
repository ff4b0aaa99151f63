"""Benchmarks: ratios between redis-fleet and the plainest thing that could do the same, taken in one run."""
