"""Rules about what a version reads at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redis_fleet.catalogue import check, table, values
from redis_fleet.rules.rule import NEVER_STARTS, Finding, rule
from redis_fleet.rules.subject import Subject

_CHANNELS = re.compile(r"&.|allchannels\Z|resetchannels\Z", re.IGNORECASE)
_SELECTORS = re.compile(r"\(|%|clearselectors\Z", re.IGNORECASE)


@rule(
    "E15",
    "ACL rules that this version cannot read",
    reason="the server ends with 'Syntax error' at its start; save points are written as each version reads them by "
    "redis-fleet itself",
    source="measured on redis 6.0.16 (channels); redis.io, ACL: channels came with 6.2, selectors and %R~ with 7.0",
    remedy="leave those rules out, or say a newer 'version:'",
    directives=("user", "save"),
    firm=NEVER_STARTS,
)
def newer_acl_rules(subject: Subject) -> Iterator[Finding]:
    """Only of a version that the file names: without one, a directive is fine when any version takes it."""
    version = subject.deployment.version
    if not version or not subject.versions[0].startswith("6."):
        return
    for each in subject.given("user"):
        for name, *rules in each.setting.reveal():
            old = [_SELECTORS] if subject.versions[0].startswith("6.2") else [_CHANNELS, _SELECTORS]
            # Not the rule itself, which may be a password.
            if any(pattern.match(word) for pattern in old for word in rules):
                kinds = "selectors" if len(old) == 1 else "channels or selectors"
                yield Finding(
                    subject.path(each), f"has rules for {kinds} of '{name}', which {subject.runs} cannot read"
                )


@rule(
    "W39",
    "a directive that is read and ignored",
    reason="who reads the file believes that it does something",
    source="config.c: deprecatedConfig; the catalogue of directives, held against the binaries",
    remedy="take it out; redis-fleet does not write it",
)
def ignored(subject: Subject) -> Iterator[Finding]:
    """By every version that may run."""
    deployment = subject.deployment
    for name, service in deployment.services.items():
        for directive in service.config:
            if check.ignored(deployment.engine, deployment.version, directive.lower()):
                yield Finding(("services", name, "config", directive), f"is read and ignored by {subject.runs}")


@rule(
    "W40",
    "a directive that only a module knows",
    reason="its name and value were held against nothing: where the module does not have it, the server does not "
    "start, and once it is taken out here it stays as it is until the module is loaded without it",
    source="measured on redis 7.0.15, 8.0.2, 8.0.6 and valkey 9.1.2 with a module of our own; config.c: names with a "
    "dot, from redis 8.0 on any",
    remedy="compare it with the module's own list of directives; check --hosts and deploy try the file on the machines",
)
def of_modules(subject: Subject) -> Iterator[Finding]:
    """Beside the loadmodule line without which it is refused."""
    deployment = subject.deployment
    for name, service in deployment.services.items():
        if "loadmodule" in map(str.lower, service.config):
            for directive in service.config:
                if check.of_module(deployment.engine, deployment.version, directive.lower()):
                    what = f"is none of {subject.runs}'s own: left to the modules, and nobody checked it"
                    yield Finding(("services", name, "config", directive), what)


@rule(
    "W41",
    "a number that the server makes another of",
    reason="who reads the file believes that it runs with that number",
    source="tried letter by letter on every engine of the tests: hz runs at 1 to 500, valkey 8.0's io-threads with 16",
    remedy="write the number that it runs with",
    directives=("hz", "io-threads"),
)
def clamped(subject: Subject) -> Iterator[Finding]:
    """Where every version that may run does."""
    for each in subject.given("hz", "io-threads"):
        word, made = each.setting.word, set()
        for version in subject.versions:
            directive = table.catalogue(subject.deployment.engine, version).find(each.setting.name)
            made.add(values.canonical(directive, each.setting.lines) if directive else word)
        if word not in made:
            yield Finding(subject.path(each), f"is {word}, of which {subject.runs} makes {min(map(str, made))}")


_ESCAPED = re.compile(r'["\\]')
_FORGETFUL = "8.1.1"


@rule(
    "E22",
    "a text that Valkey 8.1.0 and 8.1.1 cannot read back",
    reason='CONFIG REWRITE writes " and \\ without escaping them: the file no longer loads, or means something else; '
    "Sentinel has it written at every failover",
    source="measured on valkey 8.1.1 of Debian 13; put right in 8.1.2 (pull request 2036 of valkey)",
    remedy="leave quotes and backslashes out, or name a 'version:' that is not 8.1",
    directives=("requirepass", "masterauth"),
)
def forgotten_escapes(subject: Subject) -> Iterator[Finding]:
    """Where no version is named, Debian 13 would bring this one."""
    if subject.deployment.engine != "valkey" or _FORGETFUL not in subject.versions:
        return
    for service in subject.services:
        if service.password and _ESCAPED.search(service.password.reveal()):
            yield Finding(
                ("services", service.name, "password"), f"holds a quote or backslash, which valkey {_FORGETFUL} loses"
            )
    seen = set()
    for process in (each for service in subject.services for each in service.processes):
        for setting in process.settings:
            place = subject.place(process, setting.name)
            if place and place not in seen and any(_ESCAPED.search(word) for line in setting.reveal() for word in line):
                seen.add(place)
                yield Finding(place, f"holds a quote or backslash, which valkey {_FORGETFUL} loses")
