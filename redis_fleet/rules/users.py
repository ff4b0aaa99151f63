"""Rules about ACL users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redis_fleet.catalogue import acl
from redis_fleet.description.nodes import Path
from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.security import bound
from redis_fleet.rules.subject import Subject
from redis_fleet.settings.common import reachable

# What tells nothing and changes nothing: a user for a health check may do it without a password.
_HARMLESS = frozenset({"+ping", "+echo", "+hello", "+auth", "+quit", "+reset", "+select", "+time", "+role"})


@rule(
    "E25",
    "a user that anybody in the network may be",
    reason="whoever reaches the port logs in as that user with any password",
    source="acl.c: ACLCheckUserCredentials; tried on redis 7.0.15",
    remedy="give the user a password (>… or #SHA-256), or say why it is safe in 'open-to-network: REASON'",
    directives=("user",),
)
def open_users(subject: Subject) -> Iterator[Finding]:
    """Loopback alone is closed enough, and what a health check asks needs no password; 'default' is another rule's."""
    found: dict[tuple[Path, str], list[str]] = {}
    for each in subject.given("user"):
        path = subject.path(each)
        if (*path[:2], "open-to-network") not in subject.positions:
            for name, *rules in each.setting.reveal():
                user = acl.login(rules)
                if name != "default" and user.on and user.nopass and not _harmless(rules):
                    found.setdefault((path, name), []).extend(reachable(bound(each.process)))
    for (path, name), addresses in found.items():
        if addresses:
            where = ", ".join(dict.fromkeys(addresses))
            yield Finding(path, f"lets anybody at {where} be the user '{name}', without a password")


def _harmless(rules: Sequence[str]) -> bool:
    granted = {word.lower() for word in rules if word.startswith("+") or word.lower() == "allcommands"}
    return "(" not in "".join(rules) and granted <= _HARMLESS
