"""One service as its clients know it: how it is reached, and what its servers and Sentinels say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..access import Access
from ..codec import Message
from ..endpoint import Endpoint
from ..secret import Secret
from ..tls import Tls


@dataclass(frozen=True)
class Instance(Message):
    """One server or Sentinel; ``id`` is its name in the whole fleet (``orders-6379@red1``).

    ``endpoint`` is where it is connected to, ``announces`` where it says that it is (None: there). ``saves``: its
    description keeps data over a restart.
    """

    id: str
    machine: str
    endpoint: Endpoint
    saves: bool = False
    announces: Optional[Endpoint] = None

    @property
    def announced(self) -> Endpoint:
        """Where servers, Sentinels and clients are told that it is."""
        return self.announces or self.endpoint


@dataclass(frozen=True)
class Login(Message):
    """``who`` (in words) logs in as ``user``, sends ``commands``, uses ``channels``: on the Sentinels, or servers."""

    who: str
    user: str
    password: Optional[Secret]
    commands: tuple[str, ...]
    channels: tuple[str, ...] = ()
    on_sentinels: bool = False


@dataclass(frozen=True)
class ServiceAccess(Message):
    """One service and all that a client, a verification or a drill needs to reach it.

    ``monitor`` is its name in the Sentinels (None: no Sentinel watches it). ``external_master`` is a master outside the
    deployment that all members follow. ``open``: the description says that the servers want no password; all members
    share one, and so do all Sentinels; with ``tls`` that is all that any of them speaks. The times are milliseconds and
    are the Sentinels' ``down-after-milliseconds`` and ``failover-timeout`` (0 without Sentinels). ``user`` and
    ``sentinel_user`` are whom one logs in as with these passwords (empty: the default user); ``logins`` are whom the
    processes log in to each other as.
    """

    service: str
    monitor: Optional[str] = None
    quorum: int = 0
    down_after_ms: int = 0
    failover_timeout_ms: int = 0
    password: Optional[Secret] = None
    members: tuple[Instance, ...] = ()
    sentinels: tuple[Instance, ...] = ()
    sentinel_password: Optional[Secret] = None
    external_master: Optional[Endpoint] = None
    open: bool = False
    tls: Optional[Tls] = None
    user: str = ""
    sentinel_user: str = ""
    logins: tuple[Login, ...] = ()

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The members, then the Sentinels."""
        return self.members + self.sentinels

    def access(self, instance: Instance) -> Access:
        """Return how one gets into a member or a Sentinel."""
        is_sentinel = any(each.id == instance.id for each in self.sentinels)
        secret, user = self.password, self.user
        if is_sentinel:
            secret, user = self.sentinel_password, self.sentinel_user
        name = instance.announced.address if self.tls else ""
        return Access(instance.endpoint, secret, user, self.tls, name)


@dataclass(frozen=True)
class Peer(Message):
    """A process as a Sentinel lists it: ``address:port`` and its flags (``s_down``, ``disconnected`` ...)."""

    place: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class SentinelView(Message):
    """What one Sentinel says about the service; ``problem`` is empty when it answered, else all the rest is empty.

    ``master`` is ``address:port``; ``flags`` are the master's. ``quorum`` is the reply to CKQUORUM. ``priorities`` are
    the replicas' (by ``address:port``) as this Sentinel last read them, up to 10 s ago, and so are ``offsets``, their
    places in the stream of writes, bytes.
    """

    id: str
    problem: str = ""
    master: str = ""
    flags: tuple[str, ...] = ()
    config_epoch: int = -1
    quorum_ok: bool = False
    quorum: str = ""
    replicas: tuple[Peer, ...] = ()
    sentinels: tuple[Peer, ...] = ()
    priorities: Mapping[str, int] = field(default_factory=dict)
    offsets: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class MemberView(Message):
    """What one server says about its replication; ``problem`` is empty when it answered.

    ``role`` is ``master`` or ``replica``; ``follows`` is ``address:port``; ``link_up`` means connected and not in a
    first synchronisation; ``offset`` is its own place in the stream of writes, bytes; ``priority`` 0 is never promoted.
    ``loading``: it is still reading its data set from disk. ``heard`` says of a master how many seconds ago each of its
    replicas (``address:port``) last told it how far it is; a sound one does so every second. ``unlinked`` says of a
    replica how many seconds ago it lost its link; -1 where that is up, was never up, or all data is being copied.
    """

    id: str
    problem: str = ""
    role: str = ""
    follows: str = ""
    link_up: bool = False
    offset: int = -1
    priority: int = 0
    loading: bool = False
    unlinked: int = -1
    heard: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceView(Message):
    """Everything at one moment; ``time`` is the vantage's wall clock (seconds since 1970)."""

    time: float
    sentinels: tuple[SentinelView, ...] = ()
    members: tuple[MemberView, ...] = ()
