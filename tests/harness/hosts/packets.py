"""Drop packets between test hosts, for real: iptables inside their own network namespaces; nothing else is touched."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.harness.hosts.hosts import Host, pid

_CHAINS = {"INPUT": "--source", "OUTPUT": "--destination"}
BOTH_WAYS = tuple(_CHAINS)
Rule = tuple[str, ...]
"""The words of a rule, by its chain, but for what is to be done: dropping."""


@contextmanager
def cut(host: Host, *others: Host, port: int | None = None) -> Iterator[None]:
    """Drop all packets between a host and others; with ``port`` only those of this TCP port, of either."""
    with dropped(host, *(each.address for each in others), port=port):
        yield


@contextmanager
def dropped(host: Host, *addresses: str, port: int | None = None) -> Iterator[None]:
    """The same with addresses; the rules go when the block ends, whatever happened."""
    rules = rules_for(addresses, port=port)
    made: list[Rule] = []
    try:
        for rule in rules:
            _iptables(host, "--insert", *rule, "--jump", "DROP")
            made.append(rule)
        yield
    finally:
        for rule in made:
            _iptables(host, "--delete", *rule, "--jump", "DROP")


def rules_for(
    addresses: Iterable[str], *, ways: Iterable[str] = BOTH_WAYS, port: int | None = None
) -> tuple[Rule, ...]:
    """Return what keeps a host's packets from and to addresses; ``ways`` are the chains (INPUT: what comes in)."""
    ports = [("--protocol", "tcp", side, str(port)) for side in ("--dport", "--sport")] if port else [()]
    return tuple((way, _CHAINS[way], each, *which) for each in addresses for way in ways for which in ports)


def drop(namespace: int, rules: Iterable[Rule]) -> None:
    """Drop packets until ``heal``, all from the same moment, where a host's (its PID 1) packets pass."""
    lines = [" ".join(("--insert", *rule, "--jump", "DROP")) for rule in rules]
    text = "\n".join(("*filter", *lines, "COMMIT", ""))
    _inside(namespace, "iptables-restore", "--noflush", "--wait", text=text)


def heal(namespace: int) -> None:
    """Drop nothing any more there."""
    for chain in _CHAINS:
        _inside(namespace, "iptables", "--wait", "--flush", chain)


def _iptables(host: Host, *words: str) -> None:
    """Run iptables where the host's packets pass."""
    _inside(pid(host), "iptables", "--wait", *words)


def _inside(namespace: int, *words: str, text: str = "") -> None:
    command = ["nsenter", "--target", str(namespace), "--net", *words]
    subprocess.run(command, check=True, capture_output=True, input=text.encode())
