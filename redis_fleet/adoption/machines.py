"""The machines of an import: their addresses, the names that others call them by, and what stands in for an address."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from redis_fleet.description.members import is_address
from redis_fleet.description.schema import NAME

LOOPBACK = "127.0.0.1"
# For documentation and for benchmarks (RFC 5737, RFC 2544): nobody has them, so that nobody is reached by mistake.
_NOBODYS = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")


def is_loopback(word: str) -> bool:
    """Say whether a word is an address (or the name) that only the machine itself reaches."""
    word = word.lstrip("-")
    return word == "localhost" or (is_address(word) and ipaddress.ip_address(word).is_loopback)


def is_wild(word: str) -> bool:
    """Say whether a word behind ``bind`` stands for all addresses."""
    word = word.lstrip("-")
    return word in ("*", "::*") or (is_address(word) and ipaddress.ip_address(word).is_unspecified)


@dataclass
class Machines:
    """The machines by name, each with its address; more come in where files speak of them.

    ``by_name``: a host name is carried as an address; else an address of nobody stands in its place, which is
    ``wanted`` from whoever imports. ``hosts`` are the machines that host names stand for.
    """

    by_name: bool = False
    addresses: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)

    def find(self, host: str) -> str | None:
        """Return the machine that has an address or a name, if there is one."""
        if host in self.hosts:
            return self.hosts[host]
        return next((name for name, own in self.addresses.items() if own == host), None)

    def at(self, host: str) -> str:
        """Return the machine that has an address or a name, a new one where none does."""
        known = self.find(host)
        if known is not None:
            return known
        if is_loopback(host):
            # Whoever speaks of loopback speaks of the machine that it is on, whatever address that has for others.
            self.addresses.setdefault("localhost", host)
            return "localhost"
        name = host
        if is_address(host) or not re.match(NAME, host) or host in self.addresses:
            name = ("host-" + "".join(c if c.isalnum() else "-" for c in host)).strip("-")
        self.hosts[host] = name
        self.addresses[name] = host if is_address(host) else self.address_of(host)
        return name

    def address_of(self, host: str) -> str:
        """Return what is written as the address of a host name."""
        return host if self.by_name else self.instead(host)

    def instead(self, what: str) -> str:
        """Return an address of nobody that stands for that of a machine or host; the same one each time."""
        if what not in self.wanted:
            taken = {*self.addresses.values(), *self.wanted.values()}
            self.wanted[what] = next(each for each in _nobodys() if each not in taken)
        return self.wanted[what]

    def want(self) -> str:
        """Return in words which addresses have to be written; empty for none."""
        stands = [f"that of {name} in place of {address}" for name, address in self.wanted.items()]
        return f"the addresses that no file tells: write {', '.join(stands)}" if stands else ""


def _nobodys() -> Iterator[str]:
    return chain.from_iterable(map(str, ipaddress.ip_network(each).hosts()) for each in _NOBODYS)
