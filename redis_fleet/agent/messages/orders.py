"""What a running process can be told, one order after the other, and what is in force afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Optional, Union

from ..codec import Message, Request
from ..secret import Secret
from .files import File
from .process import ManagedProcess


@dataclass(frozen=True)
class SecretRef(Message):
    """Which secret of the description is meant; the secret itself takes its place just before it is sent.

    ``of`` is one of the words below. ``name`` is a directive as the description has it (``directive``), or what a
    Sentinel calls it (``monitor``, with the name of the ``monitor``), or a user (``user-rule``, with the ``number`` of
    the rule, from 0).
    """

    of: str
    name: str = ""
    monitor: str = ""
    number: int = 0


OWN_RULE = "own-rule"
"""The password that the process takes, as a rule of ACL SETUSER: with ``>`` before it."""
DIRECTIVE = "directive"
"""What a directive of the process has in the description."""
SENTINEL_PASS = "sentinel-pass"  # noqa: S105 (the name of a directive)
"""The password that a Sentinel gives to the others."""
MONITORED = "monitor"
"""What a Sentinel has to know of one master: its ``auth-pass`` for one."""
USER_RULE = "user-rule"
"""A rule of a described ACL user that has a password."""
Value = Union[str, Secret, SecretRef]


class UnfilledError(ValueError):
    """A plan's order was sent as it is: where a secret belongs it still says which one."""


def clear(value: Value) -> str:
    """Return a value as the process gets it. Raises UnfilledError."""
    if isinstance(value, SecretRef):
        raise UnfilledError(f"the secret '{value.of}' was not filled in")
    return value.reveal() if isinstance(value, Secret) else value


class Ordered(Message):
    """What every order inherits; ``do`` is its name in a plan and in notes."""

    do: ClassVar[str] = ""


@dataclass(frozen=True)
class SetDirectives(Ordered):
    """CONFIG SET of directives and their values, all or none."""

    do = "set"

    pairs: tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class AppendOnly(Ordered):
    """The append-only file on (``yes``) or off (``no``); ``seconds`` bounds the making of the other copy."""

    do = "append-only"

    value: str
    seconds: float


@dataclass(frozen=True)
class PasswordAdd(Ordered):
    """The password of the process is taken beside its present one."""

    do = "password-add"


@dataclass(frozen=True)
class PasswordEnd(Ordered):
    """The password of the process is the only one that it takes."""

    do = "password-end"


@dataclass(frozen=True)
class MasterAuth(Ordered):
    """The password that a replica gives to its master."""

    do = "masterauth"

    value: Value


@dataclass(frozen=True)
class Command(Ordered):
    """A command to a Sentinel."""

    do = "command"

    words: tuple[Value, ...]


@dataclass(frozen=True)
class SetUser(Ordered):
    """ACL SETUSER: all rules or none, in this order."""

    do = "set-user"

    user: str
    rules: tuple[Value, ...]


@dataclass(frozen=True)
class DeleteUser(Ordered):
    """ACL DELUSER: who is logged in as that user is disconnected."""

    do = "delete-user"

    user: str


@dataclass(frozen=True)
class CloseDefault(Ordered):
    """The default user may do no more than these ``rules`` say, and has no password."""

    do = "close-default"

    rules: tuple[str, ...]


@dataclass(frozen=True)
class Disconnect(Ordered):
    """Who is connected as one of ``users`` is disconnected: of one ``kind`` (``replica``, ``sentinel``), or everybody.

    Replicas and Sentinels are waited for until as many are back.
    """

    do = "disconnect"

    users: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Rewrite(Ordered):
    """CONFIG REWRITE."""

    do = "rewrite"


@dataclass(frozen=True)
class Flush(Ordered):
    """SENTINEL FLUSHCONFIG."""

    do = "flush"


@dataclass(frozen=True)
class Forget(Ordered):
    """A Sentinel forgets what it knows of ``master`` (a monitor name) and finds everything anew.

    That is exactly so many ``replicas`` and other ``sentinels``, within ``seconds``.
    """

    do = "forget"

    master: str
    replicas: int
    sentinels: int
    seconds: float


@dataclass(frozen=True)
class Demote(Ordered):
    """An old master follows ``master`` (``ADDRESS PORT``); ``value`` is what its fence is lifted to, None: it stays."""

    do = "demote"

    master: str
    value: Optional[str] = None


@dataclass(frozen=True)
class PutCertificate(Ordered):
    """The ``files`` of a certificate are put, and a server reads them again; who fills them in makes them."""

    do = "put-certificate"

    files: tuple[File, ...] = ()


Order = Union[
    SetDirectives,
    AppendOnly,
    PasswordAdd,
    PasswordEnd,
    MasterAuth,
    Command,
    SetUser,
    DeleteUser,
    CloseDefault,
    Disconnect,
    Rewrite,
    Flush,
    Forget,
    Demote,
    PutCertificate,
]


@dataclass(frozen=True)
class Changing(Message):
    """A process and its ``orders``; ``expect`` is the role that it must have, ``master`` or ``replica``, or nothing."""

    process: ManagedProcess
    orders: tuple[Order, ...] = ()
    expect: str = ""


@dataclass(frozen=True)
class InForce(Message):
    """What is in force of all that the orders touch; sensitive values are sealed.

    ``config`` is CONFIG GET by directive, ``lines`` are those of the file (name and words), ``role`` is what ROLE says,
    ``masters`` SENTINEL MASTERS by name. ``notes`` say which orders were not needed.
    """

    config: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[tuple[str, ...], ...] = ()
    role: Any = None
    masters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changed(Message):
    """What is different now, one text each, and what is in force, by the name of the process."""

    changed: tuple[str, ...] = ()
    processes: Mapping[str, InForce] = field(default_factory=dict)


@dataclass(frozen=True)
class Change(Request[Changed]):
    """Give each of ``processes`` its orders; values of ``sensitive`` directives are secrets."""

    verb = "change"

    processes: tuple[Changing, ...] = ()
    sensitive: tuple[str, ...] = ()
