"""Drop packets between test hosts, for real: iptables inside their own network namespaces; nothing else is touched."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.hosts.hosts import Host, pid

_CHAINS = (("INPUT", "--source"), ("OUTPUT", "--destination"))


@contextmanager
def cut(host: Host, *others: Host, port: int | None = None) -> Iterator[None]:
    """Drop all packets between a host and others; with ``port`` only those of this TCP port, of either."""
    with dropped(host, *(each.address for each in others), port=port):
        yield


@contextmanager
def dropped(host: Host, *addresses: str, port: int | None = None) -> Iterator[None]:
    """The same with addresses; the rules go when the block ends, whatever happened."""
    ports = [("--protocol", "tcp", side, str(port)) for side in ("--dport", "--sport")] if port else [()]
    rules = [(chain, side, address, *which) for address in addresses for chain, side in _CHAINS for which in ports]
    made: list[tuple[str, ...]] = []
    try:
        for rule in rules:
            _iptables(host, "--insert", *rule, "--jump", "DROP")
            made.append(rule)
        yield
    finally:
        for rule in made:
            _iptables(host, "--delete", *rule, "--jump", "DROP")


def _iptables(host: Host, *words: str) -> None:
    """Run iptables where the host's packets pass."""
    subprocess.run(
        ["nsenter", "--target", str(pid(host)), "--net", "iptables", "--wait", *words], check=True, capture_output=True
    )
