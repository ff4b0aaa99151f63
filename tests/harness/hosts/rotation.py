"""A client that knows two passwords, of which one is enough: what users have while a password is changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import redis

_KEY = "counted-while-the-password-changed"


@dataclass
class Counted:
    """What became of the writes: one new connection each."""

    acknowledged: int = 0
    stored: int = 0
    refused: list[str] = field(default_factory=list)
    stops: threading.Event = field(default_factory=threading.Event)


@contextmanager
def counting(host: str, port: int, *passwords: str) -> Iterator[Counted]:
    """Count up in a server meanwhile; each password is tried in turn, and a write that all fail for is refused."""
    counted = Counted()
    thread = threading.Thread(target=_count, args=(counted, host, port, passwords))
    thread.start()
    try:
        yield counted
    finally:
        counted.stops.set()
        thread.join()
    counted.stored = int(_call(host, port, passwords[-1], "GET") or 0)


def _count(counted: Counted, host: str, port: int, passwords: tuple[str, ...]) -> None:
    while not counted.stops.wait(0.01):
        said = []
        for password in passwords:
            try:
                _call(host, port, password, "INCR")
            except redis.RedisError as error:
                said.append(str(error))
            else:
                counted.acknowledged += 1
                break
        else:
            counted.refused.append("; ".join(said))


def _call(host: str, port: int, password: str, command: str) -> str:
    client = redis.Redis(host=host, port=port, password=password, socket_timeout=5, decode_responses=True)
    try:
        return str(client.incr(_KEY) if command == "INCR" else client.get(_KEY) or "")
    finally:
        client.close()


def accepts(host: str, port: int, password: str) -> bool:
    """Say whether a server or Sentinel lets a password in."""
    client = redis.Redis(host=host, port=port, password=password, socket_timeout=5)
    try:
        return bool(client.ping())
    except redis.AuthenticationError:
        return False
    finally:
        client.close()
