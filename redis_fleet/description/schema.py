"""The shape of a description: every key that may stand in a ``*.redis.yml`` file, with its type and default.

Directive names and values are not known here: ``config`` mappings carry raw texts that the catalogue judges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from redis_fleet.description.nodes import VaultText

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
CONNECTION_VARIABLE = "ansible_"
USER_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
_NOT_HERE = frozenset({"on", "off", "nopass", "resetpass", "reset", "clearselectors"})


class WrongValueError(ValueError):
    """A value that no type refuses, and that cannot be meant: ``what`` is wrong with it, and the ``remedy``."""

    def __init__(self, what: str, remedy: str) -> None:
        """Keep both halves of the message."""
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy


def _listed(value: Any) -> Any:
    """Let a single scalar stand for a list of one."""
    return [value] if isinstance(value, str | VaultText) else value


def _directive(value: Any) -> Any:
    if value is None:
        raise WrongValueError("has no value", "write the value, or [] for none")
    value = _listed(value)
    if not isinstance(value, list) or not all(isinstance(item, str | VaultText) for item in value):
        raise WrongValueError(
            "is not a value or a list of values", "write it as in redis.conf, several lines as a list"
        )
    return tuple(value)


def _yes_or_no(value: Any) -> Any:
    if isinstance(value, str):
        meant = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}.get(value.lower())
        if meant is None:
            raise WrongValueError(f"'{value}' is neither yes nor no", "write one of them")
        return meant
    return value


def _watched(value: Any) -> Any:
    if isinstance(value, str):
        if value.lower() in {"no", "false", "off"}:
            return {"watched": False}
        raise WrongValueError("is neither a mapping nor 'no'", "write its keys below it, or 'no' to leave it unwatched")
    return value


def _reason(value: str) -> str:
    # 'no' would otherwise be a reason like any other, and open what it was meant to close.
    if value.strip().lower() in {"", "yes", "no", "true", "false", "on", "off"}:
        raise WrongValueError(f"'{value}' is no reason", "say in words why it is safe, or leave the key out")
    return value


def _port(value: Any) -> Any:
    if str(value).strip() == "0":
        what = "is 0, and Sentinels find each other, and clients find them, by TCP ports alone"
        raise WrongValueError(what, "write a port; 'bind:' says at which addresses it is open")
    return value


def _rules(values: tuple[str, ...]) -> tuple[str, ...]:
    """Split rules into words; what else a user has stands in keys of its own."""
    words = tuple(word for value in values for word in value.split())
    for word in words:
        if word[:1] in (">", "<", "#", "!"):
            raise WrongValueError("holds a password", "write it at 'password:' of this user, where no plan shows it")
        if word.lower() in _NOT_HERE:
            raise WrongValueError(f"holds '{word}'", "write 'enabled:' or 'password:' of this user instead")
    return words


def _internal(value: Any) -> Any:
    return value if isinstance(value, dict) else {"enabled": _yes_or_no(value)}


def _size(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,14}(b|kb?|mb?|gb?)?", value, re.IGNORECASE):
        raise WrongValueError(f"'{value}' is not a memory size", "write it as in redis.conf: 16gb")
    return value


Text = str | VaultText
Size = Annotated[str, AfterValidator(_size)]
Reason = Annotated[str, AfterValidator(_reason)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
UserName = Annotated[str, StringConstraints(pattern=USER_NAME)]
Port = Annotated[int, Field(ge=1, le=65535), BeforeValidator(_port)]
PortOrNone = Annotated[int, Field(ge=0, le=65535)]
Lines = Annotated[tuple[Any, ...], BeforeValidator(_directive)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Milliseconds = Annotated[int, Field(ge=1, le=2**31)]
Count = Annotated[int, Field(ge=1, le=1000)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Silences = Mapping[str, Reason]
Part = Literal["read", "write", "pubsub", "scripts", "admin", "ask"]
DefaultUser = Literal["on", "off", "ping"]


class Strict(BaseModel):
    """Unknown keys are refused; Python names have underscores where the file has dashes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        populate_by_name=False,
        alias_generator=lambda name: name.replace("_", "-"),
    )

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        # 'password:' with nothing behind it must not pass for a service without a password.
        if value is None:
            raise WrongValueError("has no value", "write one, or leave the key out")
        return value


class MachineDescription(Strict):
    """One host: its address, its memory, variables of its own, and any Ansible connection variable."""

    address: str
    memory: Size | None = None
    vars: Mapping[str, str] = Field(default_factory=dict)
    connection: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather_connection(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        own = {key: item for key, item in value.items() if not key.startswith(CONNECTION_VARIABLE)}
        rest = {key: item for key, item in value.items() if key.startswith(CONNECTION_VARIABLE)}
        return {**own, "connection": rest} if rest else own


class UserDescription(Strict):
    """An ACL user: what it may do, in parts or in ``rules`` as Redis writes them, and how it logs in.

    ``absent``: there shall be no such user any more.
    """

    may: Annotated[tuple[Part, ...], BeforeValidator(_listed)] = ()
    keys: Texts = ()
    channels: Texts = ()
    rules: Annotated[Texts, AfterValidator(_rules)] = ()
    password: Text | None = None
    passwords: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    enabled: YesOrNo = True
    absent: YesOrNo = False


Users = Mapping[UserName, UserDescription]


class InternalUsersDescription(Strict):
    """Whether redis-fleet, Sentinels and replicas are users of their own, and what their passwords are made of.

    ``previous`` is what they were made of before: while it is exchanged, redis-fleet still gets in by it.
    """

    enabled: YesOrNo = True
    password: Text | None = None
    previous: Text | None = None


class WatchDescription(Strict):
    """How the Sentinels watch one service, where it differs from the ``sentinel`` section."""

    watched: bool = True
    name: Name | None = None
    quorum: Count | None = None
    down_after_milliseconds: Milliseconds | None = None
    failover_timeout: Milliseconds | None = None
    parallel_syncs: Count | None = None
    config: Mapping[str, Lines] = Field(default_factory=dict)


class AdoptedDescription(Strict):
    """Processes that somebody else set up: the configuration file and the unit that they have, and keep."""

    configuration: str
    unit: str


class ServiceDescription(Strict):
    """One master and its replicas, or replicas of a master outside the file (``replicaof`` / ``slaveof``).

    A ``port`` of 0 is none: the master, alone, listens on its ``unixsocket`` only.
    """

    master: str | None = None
    replicas: Texts = ()
    replicaof: str | None = None
    slaveof: str | None = None
    port: PortOrNone = 6379
    password: Text | None = None
    master_password: Text | None = None
    bind: Texts | None = None
    open_to_network: Reason | None = None
    adopted: AdoptedDescription | None = None
    users: Users = Field(default_factory=dict)
    default_user: DefaultUser = "on"
    config: Mapping[str, Lines] = Field(default_factory=dict)
    sentinel: Annotated[WatchDescription, BeforeValidator(_watched)] = WatchDescription()
    crash_handover: YesOrNo | None = None
    silence: Silences = Field(default_factory=dict)

    @property
    def following(self) -> str | None:
        """What ``replicaof`` names, under either spelling."""
        return self.replicaof or self.slaveof

    @property
    def following_key(self) -> str:
        """The spelling that names it."""
        return "replicaof" if self.replicaof else "slaveof"


class PlacedDescription(Strict):
    """A section of processes that are placed by a list of machines, each ``machine`` or ``machine:port``."""

    machines: Annotated[Texts, Field(min_length=1)]
    port: Port


class SentinelDescription(PlacedDescription):
    """The Sentinels that watch the services of this file."""

    port: Port = 26379
    quorum: Count | None = None
    password: Text | None = None
    bind: Texts | None = None
    open_to_network: Reason | None = None
    adopted: AdoptedDescription | None = None
    users: Users = Field(default_factory=dict)
    default_user: DefaultUser = "on"
    config: Mapping[str, Lines] = Field(default_factory=dict)
    silence: Silences = Field(default_factory=dict)


def _moded(value: Any) -> Any:
    return {"mode": value} if isinstance(value, str) else value


def _mode(value: str) -> str:
    known = {"off": "off", "no": "off", "false": "off", "require": "require"}
    if value.lower() in ("allow", "prefer"):
        what = f"'{value}' serves clients with TLS and without side by side, which redis-fleet cannot do yet"
        raise WrongValueError(what, "write 'require' for a new deployment, or leave 'tls:' out")
    if value.lower() not in known:
        raise WrongValueError(f"'{value}' is no mode", "write require or off")
    return known[value.lower()]


class TlsDescription(Strict):
    """TLS everywhere: clients, replicas and Sentinels.

    ``clients`` says whether they must show a certificate. Without ``certificate``, ``key`` and ``authorities`` (texts)
    an authority of the deployment's own, in the folder ``authority`` beside the file, makes them.
    """

    mode: Annotated[str, AfterValidator(_mode)] = "require"
    clients: Annotated[str, StringConstraints(pattern="^(required|optional|no)$")] = "required"
    authority: str | None = None
    certificate: Text | None = None
    key: Text | None = None
    key_password: Text | None = None
    authorities: Text | None = None


class Deployment(Strict):
    """A whole file."""

    plugin: str
    name: Name
    engine: Annotated[str, StringConstraints(pattern="^(redis|valkey)$")] = "redis"
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){0,3}$")] | None = None
    machines: Annotated[Mapping[Name, MachineDescription], Field(min_length=1)]
    services: Annotated[Mapping[Name, ServiceDescription], Field(min_length=1)]
    sentinel: SentinelDescription | None = None
    tls: Annotated[TlsDescription, BeforeValidator(_moded)] | None = None
    crash_handover: YesOrNo = False
    internal_users: Annotated[InternalUsersDescription, BeforeValidator(_internal)] = InternalUsersDescription(
        enabled=False
    )
    silence: Silences = Field(default_factory=dict)

    def placed(self) -> Iterator[tuple[str, PlacedDescription]]:
        """Yield the sections of processes that are placed by a list of machines, with their keys."""
        for name in type(self).model_fields:
            section = getattr(self, name)
            if isinstance(section, PlacedDescription):
                yield name, section
