"""Digests: of files, and of secrets that have to be compared but must not travel (salted and slow)."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache

_MARK = "sealed:"
_ROUNDS = 10_000
# One for each look: what is the same secret many times over is hashed once, here and by whoever compares.
_SALT = os.urandom(16).hex()


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def seal(text: str, salt: str = "") -> str:
    """Return ``sealed:SALT:HASH`` for a secret; an empty text stays empty, as it is none."""
    return _sealed(text, salt or _SALT) if text else ""


@lru_cache(maxsize=65536)
def _sealed(text: str, salt: str) -> str:
    key = hashlib.pbkdf2_hmac("sha256", text.encode("utf-8", "surrogateescape"), bytes.fromhex(salt), _ROUNDS)
    return f"{_MARK}{salt}:{key.hex()}"


def same(sealed: str, text: str) -> bool:
    """Say whether a sealed value is this text; also fine for a value that was never sealed."""
    if not sealed.startswith(_MARK):
        return sealed == text
    salt = sealed[len(_MARK) :].partition(":")[0]
    return hmac.compare_digest(sealed, seal(text, salt))
