"""Rules about values that YAML reads otherwise than they look."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.subject import Subject

_USERS = "user"
# Texts that often hold a '#'.
_SECRETS = frozenset({"password", "master-password", "masteruser", "sentinel-pass", "sentinel-user", "auth-user"})


@rule(
    "W38",
    "a value that a comment cuts off",
    reason="behind a blank '#' begins a comment for YAML: what follows never reaches the server, and nothing says so",
    source="yaml.org, 1.2.2: 6.6; tried with a user's SHA-256, which was gone, and the user had no password",
    remedy="put the whole value in quotes, or a comment on a line of its own",
    directives=(_USERS, "requirepass"),
)
def cut_off(subject: Subject) -> Iterator[Finding]:
    """Of passwords, where nothing parts the '#' from what follows; of a user's rules always: they may begin with it."""
    for path, at_once in subject.description.document.commented.items():
        names = [part for part in path if isinstance(part, str)]
        name = names[-1].lower() if names else ""
        if (name == _USERS and "config" in names) or (name in _SECRETS and at_once):
            yield Finding(path, "ends before ' #', where for YAML a comment begins")


@rule(
    "W47",
    "a value with a letter that nobody sees",
    reason="copied from a page or a chat, it is a part of the value: another password, a path that is not there",
    source="unicode.org, chapters 6 and 23 (U+00A0, U+200B, U+FEFF); Redis takes the bytes as they are",
    remedy='write the value anew; where it is meant, as an escape in double quotes: "\\u200b"',
)
def invisible(subject: Subject) -> Iterator[Finding]:
    """Of every text of the file, keys aside: an unknown key is refused anyway."""
    for path, letter in subject.description.document.invisible.items():
        name = unicodedata.name(letter, "a control character").lower()
        yield Finding(path, f"holds U+{ord(letter):04X} ({name}), which nobody sees")
