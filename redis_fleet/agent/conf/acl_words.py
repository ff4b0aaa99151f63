"""Users as a server or a file names them, in words that may travel: rules as they are, passwords sealed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..host.digest import secret_digest, sha256

_PLAIN = re.compile(
    r"[+\-~%&(]|db=|((all|reset)dbs|on|off|nopass|resetpass|reset|clearselectors|(all|reset)(keys|channels)"
    r"|(all|no)commands|(skip-)?sanitize-payload)?\)?$",
    re.IGNORECASE,
)
GIVEN, TAKEN = "#", "!"
"""The signs before the digest of a password that a user gets, or loses."""


def sealed_rules(words: Iterable[str]) -> list[str]:
    """Return rules with ``#DIGEST`` for ``>password`` and for ``#hash`` alike: the digest is of the SHA-256.

    ``!DIGEST`` is one that is taken away. What is neither a password nor any rule may be one without its sign.
    """
    return [_sealed(word) for word in words]


def _sealed(word: str) -> str:
    sign, rest = word[:1], word[1:]
    if sign in ("#", "!"):
        return sign + secret_digest(rest.lower())
    if sign in (">", "<"):
        given = GIVEN if sign == ">" else TAKEN
        return given + secret_digest(sha256(rest.encode("utf-8", "surrogateescape")))
    return word if not word or _PLAIN.match(word) else secret_digest(word)
