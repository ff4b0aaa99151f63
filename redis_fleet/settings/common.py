"""What every process gets whatever its kind: variables for its texts, addresses, and files of its own."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from posixpath import join, normpath

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.description.load import Description
from redis_fleet.description.members import Member
from redis_fleet.description.nodes import Path
from redis_fleet.description.schema import SentinelDescription, ServiceDescription
from redis_fleet.description.secrets import Variables
from redis_fleet.model import Paths
from redis_fleet.settings import adopted
from redis_fleet.settings.builder import SettingsBuilder
from redis_fleet.settings.layout import Layout
from redis_fleet.settings.loopback_only import keep_inside

_PATH = re.compile(r"""/[^\s"'\\%]*\Z""")


RESERVED = ("address", "machine", "name", "port", "inventory_dir")
"""What redis-fleet itself gives each text: no variable of these names is ever seen."""


def variables(description: Description, machine: str, endpoint: Endpoint, name: str) -> Variables:
    """Return what ``{{ … }}`` may name: what is said of the machine, its name, and the process's name and port."""
    entry = description.deployment.machines[machine]
    given = (endpoint.address, machine, name, str(endpoint.port), description.folder)
    own = {**entry.vars, **entry.connection, **dict(zip(RESERVED, given, strict=True))}
    return Variables(own, machine, description.outside)


def own_settings(
    builder: SettingsBuilder,
    path: Path,
    described: ServiceDescription | SentinelDescription,
    layout: Layout,
    endpoint: Endpoint,
    paths: Paths,
) -> None:
    """Put the addresses, the port and the files of a process; then ``config`` may override dir and logfile.

    An adopted process gets no more than what the description says.
    """
    bind, taken_over = described.bind, adopted.is_adopted(described.adopted, layout)
    # The machine's own address first: Redis 6 Sentinels connect from the first one, and from loopback reach nobody.
    # Without a port it binds to nothing, and a hand that gives it one live shall not open it to others.
    default = tuple(dict.fromkeys((endpoint.address, "127.0.0.1"))) if endpoint.port else ("127.0.0.1",)
    texts = builder.texts((*path, "bind"), bind) if bind and layout.supervised else None
    words = tuple(word for text in texts or () for word in text.split())
    if not taken_over:
        builder.set("bind", words or default)
    elif bind is not None:
        builder.set("bind", words or ("",))
    builder.set("port", (endpoint.port,))
    if not taken_over:
        _put_files(builder, layout, paths)


def _put_files(builder: SettingsBuilder, layout: Layout, paths: Paths) -> None:
    builder.set("daemonize", ("no" if layout.supervised else "yes",))
    builder.set("supervised", ("systemd" if layout.supervised else "no",))
    builder.set("pidfile", (paths.pid,))
    builder.set("logfile", (paths.log,))
    builder.set("dir", (paths.data,))


def moved(
    builder: SettingsBuilder,
    path: Path,
    described: ServiceDescription | SentinelDescription,
    member: Member,
    paths: Paths,
    layout: Layout,
) -> Paths:
    """Follow ``dir`` and ``logfile`` of the description; a sandbox keeps everything in its own folder."""
    if not layout.supervised:
        _put_files(builder, layout, paths)
        keep_inside(builder, path, member, layout)
        return paths
    if described.adopted:
        return adopted.paths(builder, path, described.adopted)
    own = {name: builder.settings[name].word for name in ("dir", "logfile")}
    for name, text in own.items():
        # Relative ones would lie in /, which systemd keeps read-only; the others it would read as something else.
        if not _PATH.match(text) and (text or name == "dir"):
            what = f"'{text}' is not an absolute path without blanks, quotes, backslashes and %"
            builder.description.report((*path, "config", name), what, "begin it with / and keep to letters and digits")
    here = own == {"dir": paths.data, "logfile": paths.log}
    return paths if here else replace(paths, data=own["dir"], log=own["logfile"])


def on_socket(builder: SettingsBuilder, endpoint: Endpoint, paths: Paths) -> Endpoint:
    """Return where a process listens once its settings are complete: on its socket where it has no port.

    Where it has no absolute one either, that is for a rule to say.
    """
    socket = builder.settings.get("unixsocket")
    if endpoint.port or socket is None or not socket.word:
        return endpoint
    # A relative path is one in the folder that the server works in.
    found = Endpoint(normpath(join(paths.data, socket.word)), 0)
    return found if found.on_socket else endpoint


def has_password(description: Description, path: Path) -> bool:
    """Say whether the section at ``path`` gives a password, be it one that cannot be read."""
    return (*path, "password") in description.document.positions


def reachable(addresses: Iterable[str]) -> list[str]:
    """Return those of the words behind ``bind`` at which others than the machine itself get through."""
    return [each for each in addresses if each and not is_loopback(each)]


@lru_cache(maxsize=1024)
def is_loopback(word: str) -> bool:
    """Say whether a word behind ``bind``, or an address, is the machine itself alone."""
    try:
        return ipaddress.ip_address(word.lstrip("-")).is_loopback
    except ValueError:
        return False
