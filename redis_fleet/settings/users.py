"""The users of a description, and those that processes of a deployment are to each other: lines for their files.

A line is spelt so that every version from 6.2 on takes it, in a file and by ACL SETUSER; 6.0 has no channels. Passwords
stand in it as hashes: what a server needs, and all that anybody finds in its file.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import internal_users
from redis_fleet.catalogue.acl import password_hash
from redis_fleet.catalogue.internal_users import InternalUser
from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path
from redis_fleet.description.schema import SentinelDescription, ServiceDescription, UserDescription
from redis_fleet.model import Identity, Setting, Users
from redis_fleet.settings.builder import SettingsBuilder
from redis_fleet.settings.passwords import secret

Line = tuple[str | Secret, ...]
_SETTING = "user"
DEFAULT = "default"
OFF, PING = "off", "ping"


@dataclass(frozen=True)
class Given:
    """The users of one section: ``lines`` for each of its processes, and what is known of them."""

    lines: tuple[Line, ...] = ()
    users: Users = field(default_factory=Users)

    def put(self, builder: SettingsBuilder) -> None:
        """Add the lines to the raw ones of ``config:``."""
        if self.lines:
            raw = builder.settings.pop(_SETTING, None)
            lines = (*(raw.held if raw else ()), *self.lines)
            builder.settings[_SETTING] = Setting(_SETTING, lines, True, raw.position if raw else None)


def of_section(
    description: Description,
    path: Path,
    section: ServiceDescription | SentinelDescription,
    password: Secret | None,
    internal: Iterable[InternalUser],
) -> Given:
    """Return the users of a service's servers, or of the Sentinels; ``internal`` are those that redis-fleet needs."""
    channels = not internal_users.without_channels(description.deployment.version)
    own = {each.name: each for each in internal}
    identities = _identities(description, path, section, password, own)
    lines: dict[str, Line] = {}
    for name in dict.fromkeys((*own, *section.users)):
        given = section.users.get(name)
        if given is None or not given.absent:
            hashes = _hashes(description, (*path, "users", name), given, identities.get(name))
            lines[name] = (name, *_line(given, own.get(name), hashes, channels=channels))
    absent = tuple(name for name, each in section.users.items() if each.absent)
    users = Users(tuple(lines), absent, identities, section.default_user)
    if section.default_user != "on":
        lines[DEFAULT] = (DEFAULT, *_closed(section.default_user, channels=channels))
    return Given(tuple(lines.values()), users)


def _closed(default: str, *, channels: bool) -> tuple[str, ...]:
    """Return the rules of a default user that is off, or may do nothing but PING.

    One that is off keeps all rights, which nobody can use: servers load their append-only file as it, and from Redis
    7.0 on drop every transaction there that it may not run (measured on Redis 7.0 to 8.0.6, Valkey 8.0 and 8.1).
    """
    if default == OFF:
        return ("off", "~*", *(("&*",) if channels else ()), "+@all")
    return ("on", "nopass", *(("resetchannels",) if channels else ()), "-@all", "+ping")


def derived(root: Secret, scope: str, user: str) -> Secret:
    """Return the password of an internal user: nobody has to keep it, and it does not tell what it is made of."""
    made = hmac.new(root.reveal().encode("utf-8", "surrogateescape"), f"{scope}/{user}".encode(), hashlib.sha256)
    return Secret(made.hexdigest())


def _identities(
    description: Description,
    path: Path,
    section: ServiceDescription | SentinelDescription,
    password: Secret | None,
    own: Mapping[str, InternalUser],
) -> dict[str, Identity]:
    """Return whom redis-fleet, Sentinels and replicas log in as; nobody where no password can be made for them."""
    shared = description.deployment.internal_users.password
    root = secret(description, ("internal-users", "password"), shared) or password
    told = secret(description, ("internal-users", "previous"), description.deployment.internal_users.previous)
    # With a root of their own they were made of the section's password before.
    before = told or (password if shared is not None else None)
    scope = "/".join(map(str, path))
    found = {}
    for name, job in own.items():
        given = section.users.get(name)
        own_one = next(_passwords(description, (*path, "users", name), given), None) if given else None
        if chosen := own_one or (derived(root, scope, name) if root else None):
            found[name] = Identity(
                name, chosen, job.who, job.commands, job.channels, before and derived(before, scope, name)
            )
    return found


def _hashes(
    description: Description, path: Path, given: UserDescription | None, own: Identity | None
) -> tuple[Secret, ...]:
    told = tuple(_passwords(description, path, given)) if given else ()
    passwords = told or ((own.password,) if own else ())
    return tuple(Secret(f"#{password_hash(each.reveal())}") for each in passwords)


def _passwords(description: Description, path: Path, given: UserDescription) -> Iterator[Secret]:
    """Yield the described passwords of a user, the one that is given out first."""
    asked = [((*path, "password"), given.password)] if given.password is not None else []
    asked += [((*path, "passwords", number), each) for number, each in enumerate(given.passwords)]
    for place, raw in asked:
        if found := secret(description, place, raw):
            yield found


def _line(
    given: UserDescription | None, own: InternalUser | None, hashes: tuple[Secret, ...], *, channels: bool
) -> Iterator[str | Secret]:
    """Yield the rules of a user; what is said of an internal one comes on top of what it needs."""
    yield "on" if given is None or given.enabled else "off"
    yield from hashes
    if own:
        yield from own.rules(channels=channels)
    if given is None:
        return
    every = own is not None and own.whole
    yield from (each if each.startswith("%") else f"~{each.removeprefix('~')}" for each in given.keys if not every)
    if channels and own is None:
        # Every channel cannot be narrowed again, and 6.2 begins with that.
        yield "resetchannels"
    yield from (f"&{each.removeprefix('&')}" for each in given.channels if channels and not every)
    granted = internal_users.granted(given.may)
    yield from granted if own is None else granted[1:]
    yield from given.rules


def internal_for(description: Description, made: Iterable[InternalUser]) -> tuple[InternalUser, ...]:
    """Return these internal users where the description wants any."""
    return tuple(made) if description.deployment.internal_users.enabled else ()


def of_sentinels(description: Description) -> tuple[InternalUser, ...]:
    """Return the internal users of Sentinels; those of Redis 6.0 have none."""
    without = internal_users.without_channels(description.deployment.version)
    return () if without else internal_for(description, internal_users.on_sentinels())


def log_in(builder: SettingsBuilder, sentinel: SentinelDescription, password: Secret | None, who: Users) -> None:
    """Say what a Sentinel takes, and whom it logs in to the others as."""
    if password and who.default == "on":
        builder.set("requirepass", (password,), secret=True)
    peer = who.internal.get(internal_users.PEER)
    if peer and not {"sentinel-user", "sentinel-pass"} & {name.lower() for name in sentinel.config}:
        builder.set("sentinel sentinel-user", (peer.user,))
        builder.set("sentinel sentinel-pass", (peer.password,), secret=True)
