"""Every engine binary that Debian's releases and the wheels offer, side by side below .cache/engines.

``python -m tests.harness.engines`` builds and lists them; the tests take what ``available()`` finds and
skip without it.
"""

from tests.harness.engines.lab import Binary, available, provide

__all__ = ["Binary", "available", "provide"]
