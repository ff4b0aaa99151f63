"""Whom Sentinels and replicas log in as, and whether each server would let them do what they have to. Pure.

A user that lacks one right is found out at the failover: until then every process is up and every flag is fine.
What Sentinel and replicas send is in sentinel.c (sentinelSendSlaveOf, sentinelReconnectInstance,
sentinelAskMasterStateToOtherSentinels) and replication.c (syncWithMaster); tried on Redis 6.0 to 8.0, Valkey 8 to 9.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from redis_fleet.agent.host.digest import matches
from redis_fleet.agent.replication.ballot import HELLO
from redis_fleet.agent.replication.health import Trouble
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue.acl import password_hash
from redis_fleet.catalogue.acl_meaning import Meaning, meaning
from redis_fleet.model import Fleet, Process, Service, Words
from redis_fleet.observe.facts import Observed, ProcessFacts

DEFAULT = "default"
_REMEDY = "see 'redis-fleet plan', or give that user what it lacks (ACL SETUSER)"


@dataclass(frozen=True)
class Login:
    """``who`` logs in as ``user`` with a ``password``, sends ``commands`` and uses ``channels``."""

    who: str
    user: str
    password: Secret | None
    commands: tuple[str, ...]
    channels: tuple[str, ...] = ()


FAILOVER = ("ping", "info", "publish", "subscribe", "exec", "slaveof", "config|rewrite", "client|kill")
REPLICATION = ("ping", "replconf", "psync")
ELECTION = ("ping", "publish", "sentinel|is-master-down-by-addr")


def of_service(fleet: Fleet, service: Service, seen: Observed) -> Iterator[Trouble]:
    """Yield what the users lack that Sentinels and replicas of a service log in as, on each server that answers."""
    logins = list(dict.fromkeys((*_sentinels(fleet, service, seen), *_replicas(service))))
    own = {name for process in service.processes for name in process.users.internal}
    for process in service.processes:
        others = [each for each in logins if each.user not in own]
        yield from _on(process, seen.of(process), (*_internal(process), *others))


def of_sentinels(fleet: Fleet, seen: Observed) -> Iterator[Trouble]:
    """Yield what the users lack that Sentinels log in to each other as."""
    found = []
    for process in fleet.sentinels:
        user = _word(process, "sentinel sentinel-user")
        if user and user not in process.users.internal:
            found.append(Login("other Sentinels log in", user, process.password, ELECTION, (HELLO,)))
    for process in fleet.sentinels:
        yield from _on(process, seen.of(process), (*_internal(process), *dict.fromkeys(found)))


def _internal(process: Process) -> Iterator[Login]:
    """The users that redis-fleet gave it for this, each with all that it was given."""
    for each in process.users.internal.values():
        yield Login(each.who, each.user, each.password, each.commands, each.channels)


def _sentinels(fleet: Fleet, service: Service, seen: Observed) -> Iterator[Login]:
    """By the file of each Sentinel, which is as it runs; else by the description."""
    name = service.watch.name if service.watch else ""
    for process in fleet.sentinels if name else ():
        lines = seen.of(process).lines_of("sentinel", "auth-user", name)
        user = lines[-1][-1] if lines else _user_of(process, name)
        if user and user != DEFAULT:
            yield Login("Sentinels log in", user, service.password, FAILOVER, (HELLO,))


def _user_of(process: Process, name: str) -> str:
    setting = process.setting("sentinel auth-user")
    return next((words[-1] for words in setting.lines if words[0] == name), "") if setting else ""


def _replicas(service: Service) -> Iterator[Login]:
    if service.external:
        return
    for process in service.processes:
        auth = process.setting("masterauth")
        if user := _word(process, "masteruser") or _word(process, "primaryuser"):
            given = Secret(auth.reveal()[0][0]) if auth else None
            yield Login("replicas log in", user, given, REPLICATION)


def _word(process: Process, name: str) -> str:
    setting = process.setting(name)
    return setting.reveal()[0][-1] if setting and not setting.empty else ""


def _on(process: Process, facts: ProcessFacts, logins: Iterable[Login]) -> Iterator[Trouble]:
    if facts.users is None:
        return
    for login in logins:
        rules = next((rest for name, *rest in facts.users if name == login.user), None)
        if rules is None:
            yield Trouble("user-missing", process.id, f"has not the user that {login.who} as", _REMEDY)
            continue
        found = meaning_of(facts, tuple(rules))
        if not _lets_in(found, login.password):
            what = f"does not let the user in that {login.who} as: it is off or has another password"
            yield Trouble("user-locked-out", process.id, what, _REMEDY)
        if lacking := _lacking(found, login):
            what = f"does not let the user that {login.who} as use {', '.join(lacking)}"
            yield Trouble("user-lacks-right", process.id, what, _REMEDY)


def _lets_in(user: Meaning, password: Secret | None) -> bool:
    """Whether it is on, and has the password as far as that is known."""
    if not user.on or user.nopass or password is None:
        return user.on
    wanted = password_hash(password.reveal())
    return any(matches(each, wanted) for each in user.hashes)


def _lacking(user: Meaning, login: Login) -> list[str]:
    reaches = (user.root, *user.selectors)
    lacking = [command for command in login.commands if not any(each.allows(command) for each in reaches)]
    channels = [pattern for each in reaches for pattern in each.channels]
    unheard = [each for each in login.channels if not any(fnmatchcase(each, pattern) for pattern in channels)]
    return [*lacking, *(f"the channel {each}" for each in unheard)]


def meaning_of(facts: ProcessFacts, rules: Words) -> Meaning:
    """Return what rules come to in a process that runs."""
    usual = "resetchannels" if not facts.version.startswith("6.") else "allchannels"
    # 6.0 has no channels, so nobody lacks one.
    channels = facts.config.get("acl-pubsub-default", usual) == "allchannels"
    return meaning(rules, facts.categories, channels=channels)
