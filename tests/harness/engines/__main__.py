"""Build every engine binary and list them: ``python -m tests.harness.engines``; ``--fresh`` builds all of them anew."""

from __future__ import annotations

import argparse
import sys

from tests.harness.engines import lab


def main() -> int:
    """List name, version and path a line, then what could not be had; returns 1 when that is anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.harness.engines", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget what was built before")
    if parser.parse_args().fresh:
        for name in lab.ORIGINS:
            lab.forget(name)
    missing = lab.provide()
    for binary in lab.available():
        sys.stdout.write(f"{binary.engine:<7} {binary.version:<8} {binary.origin:<16} {binary.server}\n")
    for name, reason in missing.items():
        sys.stderr.write(f"{name}: {reason}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
