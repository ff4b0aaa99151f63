"""Rules about who gets in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue.check import UNREADABLE
from redis_fleet.description.nodes import Path
from redis_fleet.model import Process
from redis_fleet.rules.rule import NEVER_STARTS, Finding, finds, rule
from redis_fleet.rules.subject import Subject
from redis_fleet.settings.common import is_loopback, reachable

# Before Valkey 8.1.8 sentinel.conf is rewritten with auth-pass unquoted: such a password keeps Sentinel from starting,
# and a blank at its end is lost. Every other sign comes back (measured on eleven engines).
_UNSTORABLE = set(" \t\r\n\"'")
_GUESSED_SOON = 12
_CLOSE = "add 'password:', or say why it is safe in 'open-to-network: REASON'"
_OPEN_TO_NETWORK = "say why it is safe in 'open-to-network: REASON' of that section"


@rule(
    "E4",
    "a server that anybody in the network may use",
    reason="whoever reaches the port reads and deletes everything, and can write files; protected-mode does not help "
    "where the default user has no password and it is off, nor before 7.0 where bind is given",
    source="networking.c: acceptCommonHandler; redis.io, security",
    remedy=_CLOSE,
    directives=("bind", "requirepass", "protected-mode"),
    firm=_OPEN_TO_NETWORK,
)
def open_servers(subject: Subject) -> Iterator[Finding]:
    """Loopback alone is closed enough."""
    for service in subject.services:
        path = ("services", service.name)
        if not _answered_for(subject, path):
            listening = [each for each in service.processes if each.endpoint.port]
            exposed = [each for each in listening if not _protected(subject, each)]
            yield from _exposed(path, (each for each in exposed if not _default_is_off(subject, each)))


@rule(
    "E5",
    "a Sentinel that anybody in the network may use",
    reason="Sentinel has no protected-mode: whoever reaches it can make another server the master",
    source="sentinel.c: initSentinelConfig",
    remedy=_CLOSE,
    directives=("bind", "requirepass"),
    firm=_OPEN_TO_NETWORK,
)
def open_sentinels(subject: Subject) -> Iterator[Finding]:
    """Loopback alone is closed enough."""
    if not _answered_for(subject, ("sentinel",)):
        yield from _exposed(("sentinel",), (each for each in subject.fleet.sentinels if each.users.default == "on"))


def _answered_for(subject: Subject, path: Path) -> bool:
    """Say whether the file gives a password, be it one that cannot be read, or a reason to have none."""
    return (*path, "password") in subject.positions or (*path, "open-to-network") in subject.positions


def _exposed(path: Path, processes: Iterable[Process]) -> Iterator[Finding]:
    exposed = dict.fromkeys(address for process in processes for address in reachable(bound(process)))
    if exposed:
        yield Finding(path, f"can be reached at {', '.join(exposed)} by anybody, without a password")


def _default_is_off(subject: Subject, process: Process) -> bool:
    """Say whether nobody gets in who names no user, or to nothing but a PONG."""
    if process.users.default != "on":
        return True
    setting = subject.setting(process, "user")
    lines = [words for words in setting.reveal() if words[0] == "default"] if setting else []
    return any("off" in map(str.lower, words) and "on" not in map(str.lower, words) for words in lines)


def _protected(subject: Subject, process: Process) -> bool:
    """Say whether protected-mode keeps others out of a process that was adopted; before 7.0 only without bind."""
    on = process.adopted and subject.value(process, "protected-mode") == "yes"
    old = any(version.startswith("6.") for version in subject.versions)
    return on and (not old or subject.setting(process, "bind") is None)


def bound(process: Process) -> tuple[str, ...]:
    """Return the words behind bind; without it a server listens everywhere."""
    setting = process.setting("bind")
    return setting.lines[0] if setting else ("*",)


@rule(
    "E19",
    "processes that listen only where nobody is",
    reason="replicas, Sentinels, clients and redis-fleet come to the machine's address",
    source="redis.conf: bind",
    remedy="add '{{ address }}', or give the machine 'address: 127.0.0.1' and its own in 'ansible_host:'",
    directives=("bind",),
)
def deaf(subject: Subject) -> Iterator[Finding]:
    """A machine whose own address is loopback is meant to be reached there."""
    sections: list[tuple[Path, tuple[Process, ...]]] = [
        (("services", each.name), each.processes) for each in subject.services
    ]
    for path, processes in (*sections, (("sentinel",), subject.fleet.sentinels)):
        listening = [each for each in processes if each.endpoint.port and not is_loopback(each.endpoint.address)]
        unheard = [each for each in listening if all(map(is_loopback, bound(each)))]
        if unheard:
            names = ", ".join(f"{each.id} at {each.endpoint}" for each in unheard)
            yield Finding((*path, "bind"), f"is loopback only: nothing reaches {names}")


@rule(
    "E6",
    "replicas that cannot log in to their master",
    reason="the first synchronisation works for nobody, or ends with the first failover: the old master cannot follow",
    source="replication.c: syncWithMaster; redis.conf: masterauth, masteruser",
    remedy="give all processes of a service one password",
    directives=("masterauth", "masteruser", "requirepass"),
)
def other_passwords(subject: Subject) -> Iterator[Finding]:
    """One password is everywhere by itself; a second one and a user's name can be wrong."""
    for each in subject.given("masteruser"):
        if subject.setting(each.process, "masterauth") is None and not each.setting.empty:
            what = "names a user, but there is no password to log in with: replicas do not even try"
            yield Finding(subject.path(each), what, "add 'password:', or 'master-password:' for that user")
    for name, service in subject.deployment.services.items():
        if service.master_password is None or not service.replicas:
            continue
        path: Path = ("services", name)
        placed = subject.fleet.service(name)
        own, upstream = (subject.description.secrets.get((*path, key)) for key in ("password", "master-password"))
        known_user = any(subject.setting(process, "masteruser") for process in placed.processes)
        if not placed.external and not known_user and _differ(own, upstream):
            what = "is not the 'password:' of its master, which is a process of the same service"
            yield Finding((*path, "master-password"), what, "leave it out: replicas log in with 'password:'")


def _differ(one: Secret | None, other: Secret | None) -> bool:
    return one is not None and other is not None and one.reveal() != other.reveal()


@rule(
    "E7",
    "a password that an ACL overrides",
    reason="a line 'user default' in the file wins over requirepass, and an ACL file replaces the default user"
    " even when it does not mention it: the server is open, and nothing says so",
    source="measured on redis 6.0.16, 7.0.15, 8.0.2 and valkey 8.0.1, 8.1.1; acl.c: ACLLoadFromFile",
    remedy="let 'password:' alone say what the default user's password is",
    directives=("requirepass", "aclfile", "user"),
)
def overridden_password(subject: Subject) -> Iterator[Finding]:
    """The default user is redis-fleet's own way in, too."""
    for each in (one for one in subject.given("user") if one.process.users.default == "on"):
        if _default_is_off(subject, each.process):
            what = "switches the user 'default' off, whom replicas, Sentinels and redis-fleet itself log in as"
            yield Finding(subject.path(each), what, "write 'default-user: off' in its place, and 'internal-users: yes'")
        elif "default" in each.setting.names:
            what = "has a line for the user 'default', which would override 'password:'"
            yield Finding(subject.path(each), what, "take it out, and give other users other names")
    for each in (*subject.given("aclfile"), *subject.given_to_sentinels("aclfile")):
        if each.setting.word and each.process.password:
            what = "is read after 'password:' and replaces it, also when it has no line for the user 'default'"
            yield Finding(subject.path(each), what, "write the users as 'user:' lines, or keep all of them in the file")


@finds(UNREADABLE)
def unstorable_password(subject: Subject) -> Iterator[Finding]:
    """Only of services that Sentinel watches."""
    for service in subject.services:
        if service.watch and service.password and _UNSTORABLE & set(service.password.reveal()):
            what = "holds a blank or quote, which Sentinel cannot store"
            yield Finding(("services", service.name, "password"), what)


@rule(
    "E20",
    "TLS without what it takes",
    reason="the server ends with 'Failed to configure TLS' at its start",
    source="tls.c: tlsConfigure; tried on redis 7.0.15",
    remedy="add tls-cert-file, tls-key-file, and tls-ca-cert-file or tls-ca-cert-dir",
    directives=("tls-port", "tls-cert-file", "tls-key-file", "tls-ca-cert-file", "tls-ca-cert-dir", "tls-auth-clients"),
    firm=NEVER_STARTS,
)
def unfinished_tls(subject: Subject) -> Iterator[Finding]:
    """The certificate of the authority is needed to check those of clients, or of other servers."""
    for each in (*subject.given("tls-port"), *subject.given_to_sentinels("tls-port")):
        if each.word == "0":
            continue
        given = {name for name in _TLS_FILES if _is_given(subject, each.process, name)}
        missing = [name for name in _TLS_FILES[:2] if name not in given]
        asked = [name for name in ("tls-auth-clients", "tls-replication") if _asks(subject, each.process, name)]
        if asked and not given & {*_TLS_FILES[2:]}:
            missing.append("tls-ca-cert-file")
        if missing:
            yield Finding(subject.path(each), f"needs {' and '.join(missing)}, too", f"add {' and '.join(missing)}")


_TLS_FILES = ("tls-cert-file", "tls-key-file", "tls-ca-cert-file", "tls-ca-cert-dir")


def _is_given(subject: Subject, process: Process, name: str) -> bool:
    setting = subject.setting(process, name)
    return setting is not None and not setting.empty


def _asks(subject: Subject, process: Process, name: str) -> bool:
    return subject.value(process, name) not in ("no", "")


@rule(
    "E21",
    "users in the file and in an ACL file",
    reason="the server refuses to have both, and ends at its start",
    source="acl.c: ACLLoadUsersAtStartup; tried on redis 7.0.15",
    remedy="keep the 'user:' lines, or the aclfile",
    directives=("user", "aclfile"),
    firm=NEVER_STARTS,
)
def users_twice(subject: Subject) -> Iterator[Finding]:
    """In a server and in a Sentinel."""
    for each in (*subject.given("aclfile"), *subject.given_to_sentinels("aclfile")):
        if each.setting.word and subject.setting(each.process, "user"):
            yield Finding(subject.path(each), "stands beside 'user' lines")


@rule(
    "W23",
    "commands that let a client take the machine over",
    reason="DEBUG and MODULE LOAD run what a client sends, and dir and dbfilename let it write files anywhere",
    source="redis.conf: enable-protected-configs, enable-debug-command, enable-module-command",
    remedy="say no, or local for connections from the machine itself",
    directives=("enable-protected-configs", "enable-debug-command", "enable-module-command"),
)
def dangerous_commands(subject: Subject) -> Iterator[Finding]:
    """With local an attacker is on the machine already."""
    for each in subject.given("enable-protected-configs", "enable-debug-command", "enable-module-command"):
        if each.word == "yes":
            yield Finding(subject.path(each), "lets every client that knows the password take the machine over")


@rule(
    "W24",
    "a password that is soon guessed",
    reason="Redis answers a million guesses a second",
    source="redis.conf: requirepass",
    remedy="use a long one that nobody has to remember: openssl rand -hex 24",
    directives=("requirepass",),
)
def short_password(subject: Subject) -> Iterator[Finding]:
    """Nothing of the password is said."""
    for service in subject.services:
        if service.password and _guessable(service.password):
            yield Finding(("services", service.name, "password"), "is short enough to be guessed")
    sentinel = next((each.password for each in subject.fleet.sentinels), None)
    if sentinel and _guessable(sentinel):
        yield Finding(("sentinel", "password"), "is short enough to be guessed")


def _guessable(password: Secret) -> bool:
    return len(password.reveal()) < _GUESSED_SOON


@rule(
    "W25",
    "TLS for clients, and everything in clear between the servers",
    reason="replicas send the password and get all data over the port without TLS",
    source="redis.conf: tls-replication",
    remedy="let the machines talk over an encrypted network (WireGuard, IPsec) and silence this with that reason",
    directives=("tls-port", "tls-replication"),
)
def clear_replication(subject: Subject) -> Iterator[Finding]:
    """Where there is replication at all."""
    for each in subject.given("tls-port"):
        replicated = each.service and (len(each.service.processes) > 1 or each.service.external)
        if replicated and each.word != "0" and subject.value(each.process, "tls-replication") != "yes":
            yield Finding(subject.path(each), "is for clients only: replicas get all data in clear")
