"""Every Redis and Valkey process of a machine, whoever set it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..codec import Message, Request
from ..endpoint import Endpoint


@dataclass(frozen=True)
class DiscoveredProcess(Message):
    """One process. ``configuration`` is its file's path, empty for none; ``unit`` is empty where nothing supervises it.

    ``texts`` are that file and all included ones, by path, ``missing`` included ones that cannot be read. ``running``
    is CONFIG GET *, None for a Sentinel and where it does not answer; ``error`` says why it does not.
    """

    kind: str
    engine: str
    pid: int
    directory: str
    version: str = ""
    configuration: str = ""
    unit: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    running: Optional[Mapping[str, str]] = field(default=None, repr=False)
    error: Optional[str] = None
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Discovered(Message):
    """What runs on a machine; ``addresses`` are not loopback, ``others`` says in words what cannot be taken over.

    Its texts are the files as they are, passwords included: it is for one reader, and is never shown or kept.
    """

    hostname: str
    addresses: tuple[str, ...] = ()
    processes: tuple[DiscoveredProcess, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Discover(Request[Discovered]):
    """Find every process. Changes nothing."""

    verb = "discover"
