"""Where a process listens: the one form of an address and its text."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import Message


def place_of(address: str, port: object) -> str:
    """Return ``address:port`` of what a server or a Sentinel says, an IPv6 address in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True, order=True)
class Endpoint(Message):
    """An IP address and a TCP port; its text is ``address:port``, an IPv6 address in brackets."""

    address: str
    port: int

    def __str__(self) -> str:
        return place_of(self.address, self.port)

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read what ``str`` made; raises ValueError for anything else."""
        address, separator, port = text.rpartition(":")
        if not separator or not port.isdecimal():
            raise ValueError(f"'{text}' is not address:port")
        return cls(address[1:-1] if address.startswith("[") and address.endswith("]") else address, int(port))
