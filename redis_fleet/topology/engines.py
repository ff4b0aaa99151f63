"""What differs between the engines on a machine: user, binaries, folders."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Engine:
    """One engine as its Debian packages install it; paths are absolute, ``user`` is also the group.

    ``program`` is the one file that server and Sentinel are links to.
    """

    name: str
    user: str
    server: str
    sentinel: str
    program: str
    configuration: str
    data: str
    log: str


def _debian(name: str) -> Engine:
    # Same layout for both: /usr/bin/NAME-server, /etc/NAME, /var/lib/NAME, /var/log/NAME (Debian's package file lists).
    return Engine(
        name=name,
        user=name,
        server=f"/usr/bin/{name}-server",
        sentinel=f"/usr/bin/{name}-sentinel",
        program=f"/usr/bin/{name}-check-rdb",
        configuration=f"/etc/{name}",
        data=f"/var/lib/{name}",
        log=f"/var/log/{name}",
    )


ENGINES = {name: _debian(name) for name in ("redis", "valkey")}
