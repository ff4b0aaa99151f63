"""Read files of a machine; one that cannot be read is None."""

from __future__ import annotations

import hashlib
from pathlib import Path


def fingerprint(path: str) -> str | None:
    """Return the SHA-256 of a file; None when it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None


def text_of(path: str) -> str | None:
    """Return the text of a file; None when it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
