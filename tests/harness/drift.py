"""Which of the newest allowed versions are not the locked ones: ``python -m tests.harness.drift`` where they are."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version

from tests.harness.parts import ROOT

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def locked() -> dict[str, str]:
    """Return the versions in the tests' lock file, by package."""
    return dict(_PINNED.findall((ROOT / "requirements" / "test.txt").read_text("utf-8")))


def main() -> int:
    """Print one line for each package that is not at its locked version."""
    for name, known in sorted(locked().items()):
        try:
            here = version(name)
        except PackageNotFoundError:  # one for another system or Python
            continue
        if here != known:
            sys.stdout.write(f"{name} {here}, locked is {known}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
