"""Where a process listens: the one form of an address and its text."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import Message


def place_of(address: str, port: object) -> str:
    """Return ``address:port`` of what a server or a Sentinel says, an IPv6 address in brackets; a socket's path."""
    if address.startswith("/"):
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True, order=True)
class Endpoint(Message):
    """An IP address and a TCP port; its text is ``address:port``, an IPv6 address in brackets.

    Where a process listens on a Unix socket alone, the address is the socket's path, which is its text too, and the
    port is 0.
    """

    address: str
    port: int

    @property
    def on_socket(self) -> bool:
        """Whether it is a Unix socket, which only the machine itself gets to."""
        return self.address.startswith("/")

    def __str__(self) -> str:
        return place_of(self.address, self.port)

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read what ``str`` made; raises ValueError for anything else."""
        if text.startswith("/"):
            return cls(text, 0)
        address, separator, port = text.rpartition(":")
        if not separator or not port.isdecimal():
            raise ValueError(f"'{text}' is not address:port")
        return cls(address[1:-1] if address.startswith("[") and address.endswith("]") else address, int(port))
