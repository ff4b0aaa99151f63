"""Rules about what stands below ``users:``, ``default-user:`` and ``internal-users:``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from redis_fleet.catalogue import acl
from redis_fleet.catalogue.internal_users import without_channels
from redis_fleet.description.nodes import Path
from redis_fleet.description.schema import SentinelDescription, ServiceDescription, UserDescription
from redis_fleet.model import Identity, Process
from redis_fleet.rules.rule import NEVER_STARTS, Finding, rule
from redis_fleet.rules.subject import Subject

_CHANNELS = re.compile(r"&|allchannels\Z|resetchannels\Z", re.IGNORECASE)
_SELECTORS = re.compile(r"\(|%", re.IGNORECASE)
_DEFAULT = "default"
Section = ServiceDescription | SentinelDescription


def _sections(subject: Subject) -> Iterator[tuple[Path, Section, tuple[Process, ...]]]:
    for name, service in subject.deployment.services.items():
        yield ("services", name), service, subject.fleet.service(name).processes
    if subject.deployment.sentinel:
        yield ("sentinel",), subject.deployment.sentinel, subject.fleet.sentinels


def _users(subject: Subject) -> Iterator[tuple[Path, UserDescription]]:
    for path, section, _ in _sections(subject):
        yield from (((*path, "users", name), each) for name, each in section.users.items())


@rule(
    "E61",
    "users of Sentinels that can have none",
    reason="Sentinel of Redis 6.0 ignores 'user' lines, stays open and takes no user's name: its password alone guards "
    "it",
    source="tried on redis 6.0.16; sentinel.c: sentinelcmds, which has ACL from 6.2 on",
    remedy="leave it out, with 'password:' for the Sentinels; or say a newer 'version:'",
    directives=("user",),
    firm="the Sentinels would be open",
)
def users_of_old_sentinels(subject: Subject) -> Iterator[Finding]:
    """Of a version that the file names."""
    sentinel = subject.deployment.sentinel
    if sentinel is None or not without_channels(subject.deployment.version):
        return
    if sentinel.users:
        yield Finding(("sentinel", "users"), f"is nothing that a Sentinel of {subject.runs} has")
    if sentinel.default_user != "on":
        yield Finding(("sentinel", "default-user"), f"is nothing that a Sentinel of {subject.runs} has")


@rule(
    "E62",
    "a user that is described twice",
    reason="rules of one user in two places add up to what neither of them says",
    source="acl.c: ACLAppendUserForLoading",
    remedy="keep one: 'users:', or the 'user' line below 'config:'",
    directives=("user",),
)
def described_twice(subject: Subject) -> Iterator[Finding]:
    """By 'users:', as an internal one, or by 'default-user:', and by a raw line."""
    seen = set()
    for path, section, processes in _sections(subject):
        for process in processes:
            setting = subject.setting(process, "user")
            names = [name for name in (setting.names if setting else ()) if setting and setting.position]
            ours = {*process.users.described, *process.users.absent}
            ours |= {_DEFAULT} if section.default_user != "on" else set()
            for name in sorted(each for each in ours if names.count(each) > (each not in process.users.absent)):
                place = (*path, "users", name) if name in section.users else (*path, "config", "user")
                if (place, name) not in seen:
                    seen.add((place, name))
                    yield Finding(place, f"describes the user '{name}', and so does another place")


@rule(
    "E63",
    "an internal user that lacks what it is for",
    reason="Sentinels, replicas and redis-fleet find it out when it is too late: without one of these commands no "
    "failover succeeds, though every process is up",
    source="sentinel.c: sentinelSendSlaveOf, sentinelReconnectInstance; replication.c: syncWithMaster; tried on redis "
    "6.0 to 8.0 and valkey 8.1, 9.1",
    remedy="take that rule out: what stands there comes on top of what the user needs",
    directives=("user", "sentinel auth-user", "masteruser"),
    firm="nothing would fail over",
)
def lacking(subject: Subject) -> Iterator[Finding]:
    """Overrides of users that redis-fleet needs."""
    for path, section, processes in _sections(subject):
        for name, given in section.users.items():
            process = next((each for each in processes if name in each.users.internal), None)
            if process is None:
                continue
            if given.absent or not given.enabled:
                yield Finding((*path, "users", name), "is to be gone or off, and processes log in as it")
            elif wrong := _lacks(_lines(process)[name], process.users.internal[name]):
                yield Finding((*path, "users", name), f"may not use {', '.join(wrong)}")


def _lines(process: Process) -> Mapping[str, tuple[str, ...]]:
    setting = process.setting("user")
    return {words[0]: words[1:] for words in setting.reveal()} if setting else {}


def _lacks(rules: tuple[str, ...], who: Identity) -> list[str]:
    found = [command for command in who.commands if not acl.may(rules, command)]
    last = max((number for number, each in enumerate(rules) if each.lower() == "resetchannels"), default=-1)
    heard = [each[1:] for each in rules[last + 1 :] if each.startswith("&")]
    told = any(each.startswith("&") for each in rules)
    deaf = [each for each in who.channels if told and not any(fnmatchcase(each, pattern) for pattern in heard)]
    return [*found, *(f"the channel {each}" for each in deaf)]


@rule(
    "E64",
    "a default user that is closed while processes log in as it",
    reason="without internal users redis-fleet, Sentinels and replicas are the default user: nobody would get in",
    source="acl.c: ACLAuthenticateUser",
    remedy="add 'internal-users: yes' at the top of the file, or leave 'default-user:' out",
    directives=("requirepass", "user"),
    firm="nobody would get in",
)
def closed_to_all(subject: Subject) -> Iterator[Finding]:
    """In a service, and in the Sentinels."""
    for path, section, _ in _sections(subject):
        if section.default_user != "on" and not subject.deployment.internal_users.enabled:
            yield Finding((*path, "default-user"), f"is {section.default_user}, and there are no internal users")


@rule(
    "E65",
    "rules of a user that this version cannot read",
    reason="the server ends with 'Error in user declaration' at its start, and ACL SETUSER refuses them",
    source="measured on redis 6.0.16 (channels) and 6.2.14; redis.io, ACL: channels came with 6.2, selectors with 7.0",
    remedy="leave them out, or say a newer 'version:'",
    directives=("user",),
    firm=NEVER_STARTS,
)
def unreadable(subject: Subject) -> Iterator[Finding]:
    """By version where the file names one, and by their spelling."""
    old = without_channels(subject.deployment.version)
    sixth = str(subject.deployment.version or "").startswith("6")
    for path, given in _users(subject):
        if old and given.channels:
            yield Finding((*path, "channels"), f"is nothing that {subject.runs} knows: every user may use all channels")
        words = (*given.rules, *given.keys)
        if (old and any(map(_CHANNELS.match, words))) or (sixth and any(map(_SELECTORS.match, words))):
            yield Finding(path, f"has rules for channels or selectors, which {subject.runs} cannot read")
            continue
        place = acl.unreadable(f"redis-{subject.deployment.version or '8'}", given.rules)
        if place is not None:
            yield Finding(
                (*path, "rules"), f"'{given.rules[place - 1]}' is no rule of an ACL user", "see redis.io, ACL"
            )


@rule(
    "E66",
    "internal users without a password",
    reason="their passwords are made of one that the description has; who has none would be let in by nobody",
    source="acl.c: ACLCheckUserCredentials",
    remedy="add 'password:' there, or 'internal-users: {password: …}' at the top",
    directives=("user",),
    firm="nobody would get in",
)
def nothing_to_make_of(subject: Subject) -> Iterator[Finding]:
    """In a service, and in Sentinels that can have users."""
    if not subject.deployment.internal_users.enabled:
        return
    for path, section, processes in _sections(subject):
        told = (*path, "password") in subject.positions or ("internal-users", "password") in subject.positions
        old = path == ("sentinel",) and without_channels(subject.deployment.version)
        if not told and not old and not section.users and not any(each.users.internal for each in processes):
            yield Finding(path, "has no password that its internal users' could be made of")


@rule(
    "E67",
    "a default user that may only PING, and an append-only file",
    reason="servers load the file as the default user, and drop every transaction and script that it may not run: what "
    "was acknowledged is gone after the next restart, without a word",
    source="measured on redis 7.0.15, 8.0.2, 8.0.6 and valkey 8.0.1, 8.1.1, 8.1.8; redis 6.x and valkey 9.1 keep them; "
    "aof.c: createAOFClient, multi.c: execCommand",
    remedy="write 'default-user: off': it keeps its rights, and nobody gets in as it",
    directives=("user", "appendonly"),
    firm="it loses data",
)
def forgetful_default(subject: Subject) -> Iterator[Finding]:
    """Where a version may run that drops them."""
    safe = ("6.",) if subject.deployment.engine == "redis" else ("9.",)
    if all(version.startswith(safe) for version in subject.versions):
        return
    for name, service in subject.deployment.services.items():
        processes = subject.fleet.service(name).processes
        logged = any(subject.value(each, "appendonly") == "yes" for each in processes)
        if service.default_user == "ping" and logged:
            yield Finding(("services", name, "default-user"), "is ping, and the servers have an append-only file")


@rule(
    "W48",
    "a user that nobody can log in as",
    reason="a user that is on and has no password lets nobody in; only a client certificate could be it",
    source="tried on redis 6.0 to 8.0 and valkey 8.1, 9.1; acl.c: ACLCheckUserCredentials",
    remedy="add 'password:', or 'enabled: no' to keep it for later",
    directives=("user",),
)
def without_password(subject: Subject) -> Iterator[Finding]:
    """But for internal ones, which get one."""
    for path, section, processes in _sections(subject):
        internal = {name for process in processes for name in process.users.internal}
        for name, given in section.users.items():
            silent = given.absent or not given.enabled or name in internal
            if not silent and given.password is None and not given.passwords:
                yield Finding((*path, "users", name), "is on and has no password")
