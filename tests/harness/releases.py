"""The releases of distributions that the tests run on: the one place that names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """One release: ``name`` as test hosts are called, ``suite`` as its mirror has it, ``image`` in a registry.

    ``engines`` are those that its packages offer; ``sources`` is a sed script for its list of package sources, where
    they are not all in its first one.
    """

    name: str
    suite: str
    engines: tuple[str, ...]
    image: str
    sources: str = ""


_BOTH = ("redis", "valkey")
RELEASES = (
    # Its security updates left the mirrors with the end of its support; they never changed the version.
    Release("11", "bullseye", ("redis",), "debian:11", sources="/ bullseye /!d"),
    Release("12", "bookworm", _BOTH, "debian:12", "s/^\\(.*\\) bookworm main$/&\\n\\1 bookworm-backports main/"),
    Release("13", "trixie", _BOTH, "debian:13"),
    Release("testing", "testing", _BOTH, "debian:testing"),
)
BY_NAME = {each.name: each for each in RELEASES}
