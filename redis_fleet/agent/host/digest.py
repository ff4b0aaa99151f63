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


def secret_digest(text: str, salt: str = "") -> str:
    """Return ``sealed:SALT:HASH`` for a secret; an empty text stays empty, as it is none."""
    return _derived(text, salt or _SALT) if text else ""


@lru_cache(maxsize=65536)
def _derived(text: str, salt: str) -> str:
    key = hashlib.pbkdf2_hmac("sha256", text.encode("utf-8", "surrogateescape"), bytes.fromhex(salt), _ROUNDS)
    return f"{_MARK}{salt}:{key.hex()}"


def matches(digest: str, text: str) -> bool:
    """Say whether a digest is that of this text; also fine for a value that is itself no digest."""
    if not digest.startswith(_MARK):
        return digest == text
    salt = digest[len(_MARK) :].partition(":")[0]
    return hmac.compare_digest(digest, secret_digest(text, salt))
