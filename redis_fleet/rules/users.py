"""Rules about ACL users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import acl
from redis_fleet.description.nodes import Path
from redis_fleet.model import Process
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


# What Sentinel sends to a server, in a transaction that one refused command ends (sentinel.c: sentinelSendSlaveOf).
_FAILOVER = ("ping", "info", "publish", "subscribe", "multi", "exec", "slaveof", "config|rewrite", "client|kill")


@rule(
    "E39",
    "a user that Sentinels cannot log in as, or not fail over with",
    reason="Sentinels log in to the servers as 'auth-user' with the service's password, and promote a replica in one "
    "transaction: a user that is not there, has another password or lacks one command makes every failover fail",
    source="sentinel.c: sentinelSendAuthIfNeeded, sentinelSendSlaveOf; tried on redis 7.0.15",
    remedy="give the service a 'user:' line for it, with the service's password and what Sentinel sends",
    directives=("sentinel auth-user", "user"),
    firm="nothing would fail over",
)
def unfit_for_sentinels(subject: Subject) -> Iterator[Finding]:
    """Of the users that the file describes; those of an ACL file are the machine's."""
    for each in subject.given_to_sentinels("sentinel auth-user"):
        users = {words[0]: words[-1] for words in each.setting.lines}
        for service in subject.services:
            name = users.get(service.watch.name, "") if service.watch else ""
            for process in service.processes if name else ():
                for what in _unfit(subject, process, name, service.password):
                    yield Finding(subject.path(each), f"'{name}' {what} in service '{service.name}'")


def _rules_of(subject: Subject, process: Process, name: str) -> Sequence[str] | None:
    """Return the rules of a user, none when it has no line; None of whom nothing is known, or nothing is to be said.

    Of a server whose file nobody gave, and of an ACL file, nothing is known.
    """
    setting = subject.setting(process, "user")
    rules = next((rules for user, *rules in (setting.reveal() if setting else ()) if user == name), None)
    aclfile = subject.setting(process, "aclfile")
    unseen = process.adopted or (aclfile is not None and bool(aclfile.word))
    if name == "default" or (rules is None and unseen):
        return None
    return rules or ()


def _unfit(subject: Subject, process: Process, name: str, given: Secret | None) -> Iterator[str]:
    rules = _rules_of(subject, process, name)
    if rules is None:
        return
    if not rules:
        yield "has no 'user' line"
        return
    user = acl.login(rules)
    password = given and acl.password_hash(given.reveal())
    if not user.on or not (user.nopass or password in user.hashes):
        yield "is off or has another password"
    if lacking := [command for command in _FAILOVER if not acl.may(rules, command)]:
        yield f"may not {', '.join(lacking)}"


@rule(
    "E40",
    "Sentinels that log in to each other with another password than they take",
    reason="redis-fleet keeps 'sentinel-pass' at the Sentinels' own password: another one is that of a user, which it "
    "cannot look after yet, and each deployment would end with something left to do",
    source="sentinel.c: sentinelSendAuthIfNeeded",
    remedy="leave sentinel-pass and sentinel-user out: the Sentinels' 'password:' is used",
    directives=("sentinel sentinel-pass", "sentinel sentinel-user"),
    firm="no deployment would come to its end",
)
def another_sentinel_password(subject: Subject) -> Iterator[Finding]:
    """Compared in clear: both are in the file."""
    for each in subject.given_to_sentinels("sentinel sentinel-pass"):
        own = each.process.password
        if own is not None and each.setting.reveal()[0][-1:] != (own.reveal(),):
            yield Finding(subject.path(each), "is not the Sentinels' 'password:'")


# What a replica sends before its master's data comes (replication.c: syncWithMaster), and every second afterwards.
_REPLICATION = ("ping", "replconf", "psync")


@rule(
    "E44",
    "a user that replicas cannot log in as, or not replicate with",
    reason="replicas log in to their master as 'masteruser' with the password of 'masterauth': a user that is not"
    " there, has another password or lacks one command leaves every replica without a link",
    source="replication.c: syncWithMaster; tried on redis 6.0.16, 7.0.15, 8.0.2 and valkey 8.1.1",
    remedy="give the service a 'user:' line for it, with that password and +psync +replconf +ping",
    directives=("masteruser", "user"),
)
def unfit_for_replicas(subject: Subject) -> Iterator[Finding]:
    """Of a master in the same file: every process may become it, so every process needs the user."""
    for each in (*subject.given("masteruser"), *subject.given("primaryuser")):
        auth = subject.setting(each.process, "masterauth")
        # Without a password another rule has its say.
        if auth is None or each.service is None or each.service.external or each.setting.empty:
            continue
        if len(each.service.processes) == 1:
            continue
        for process in each.service.processes:
            for what in _cannot_replicate(subject, process, each.setting.reveal()[0][0], auth.reveal()[0][0]):
                yield Finding(subject.path(each), f"names a user that {what} in service '{each.service.name}'")


def _cannot_replicate(subject: Subject, process: Process, name: str, password: str) -> Iterator[str]:
    found = _rules_of(subject, process, name)
    if found is None:
        return
    if not found:
        yield "has no 'user' line"
        return
    user = acl.login(found)
    if not user.on or not (user.nopass or acl.password_hash(password) in user.hashes):
        yield "is off or has another password"
    if lacking := [command for command in _REPLICATION if not acl.may(found, command)]:
        yield f"may not {', '.join(lacking)}"
