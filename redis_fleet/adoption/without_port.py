"""Processes without a TCP port: one that listens on its socket alone can be described, the others cannot yet."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import isabs, join
from typing import TypeGuard

from redis_fleet.adoption.found import RefusedError, Statement
from redis_fleet.adoption.texts import Value, word_of


def refuse_undescribable(port: Statement | None, given: Mapping[str, Value], *, follows: bool) -> None:
    """Raise RefusedError for a server with ``port 0`` that no description can have.

    ``given`` are its other directives, by key; ``follows``: it is a replica.
    """
    if not _none(port):
        return
    if word_of(given, "tls-port") not in ("", "0"):
        _refuse(port, "with tls-port: TLS alone cannot be described yet; give it a port, or import it later")
    socket = word_of(given, "unixsocket")
    if not socket:
        _refuse(port, "without unixsocket: it listens nowhere; the server does not start with it")
    if not isabs(join(word_of(given, "dir"), socket)):
        _refuse(port, f"with unixsocket {socket}, below the folder that it was started in: write the whole path there")
    if follows:
        _refuse(port, "beside replicaof: a replica that has a socket alone cannot be described; give it a port")


def refuse_for_sentinel(port: Statement | None) -> None:
    """Raise RefusedError for a Sentinel with ``port 0``: the others and clients come by its port."""
    if _none(port):
        _refuse(port, "of a Sentinel cannot be described: the others, and clients, come to its port")


def _none(port: Statement | None) -> TypeGuard[Statement]:
    return port is not None and port.words[:1] == ("0",)


def _refuse(port: Statement, why: str) -> None:
    raise RefusedError(port.position, f"port 0 {why}")
