"""What a sandbox changes of a description's own directives, so that its processes meet nobody outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from redis_fleet.catalogue import table
from redis_fleet.description.members import Member
from redis_fleet.description.nodes import Path, VaultText
from redis_fleet.description.schema import Deployment, SentinelDescription, ServiceDescription
from redis_fleet.settings.builder import SettingsBuilder
from redis_fleet.settings.layout import Layout

ANNOUNCED = "127.0.1.1"
"""What processes of a sandbox announce that announce another address than their own: Linux has it on loopback, too."""

# Beside ``port``, which is moved with the process.
_LISTENING = "tls-port"
_CLUSTER, _BUS = "cluster-enabled", "cluster-port"
BUS_ABOVE = 10000
"""Where a node of a cluster listens for the others, above its port, unless it is told."""
_HIGHEST = 65535
# Also what YAML calls it, see ``settings/builder.py``.
_YES = ("yes", "true", "on")
# More files than this machine may let a process open are lowered by the server itself, which would look like drift.
_USUAL_CLIENTS = 10000
# Scripts tell people and move addresses; connections from an address of a machine do not come to be here; and what the
# processes say is in their folder, not in this machine's own log, which may be sent on.
_OUTWARD = frozenset(
    {"sentinel notification-script", "sentinel client-reconfig-script", "bind-source-addr", "syslog-enabled"}
)
_ANNOUNCING = ("replica-announce-ip", "sentinel announce-ip")


def own_places(section: ServiceDescription | SentinelDescription, member: Member) -> Iterator[str]:
    """Yield ``machine:port`` of everything that a process listens on."""
    if member.port:
        yield f"{member.machine}:{member.port}"
    config = {name.lower(): texts for name, texts in section.config.items()}
    if port := _number(config, _LISTENING):
        yield f"{member.machine}:{port}"
    if _text(config, _CLUSTER).lower() in _YES:
        yield f"{member.machine}:{_bus(_number(config, _BUS), member.port)}"


def keep_inside(builder: SettingsBuilder, path: Path, member: Member, layout: Layout) -> None:
    """Move files into the data folder, ports and announced addresses to loopback; leave out what leads elsewhere."""
    leave_out(builder)
    _announce_inside(builder)
    for setting in tuple(builder.settings.values()):
        if setting.name == "unixsocket" and setting.word:
            # Relative to its working folder, the data folder: whole paths of sockets have room for 107 bytes (unix(7)).
            builder.set(setting.name, (PurePosixPath(setting.word).name,))
        elif setting.name == "cluster-config-file":
            builder.set(setting.name, (PurePosixPath(setting.word).name,))
        elif setting.name == "maxclients" and _whole(setting.word) > _USUAL_CLIENTS:
            del builder.settings[setting.name]
        elif setting.name == _LISTENING and setting.position and (port := _whole(setting.word)):
            # One of redis-fleet's own is there already.
            _move(builder, (*path, "config", setting.name), setting.name, f"{member.machine}:{port}", layout)
        elif setting.name == _CLUSTER and setting.word == "yes":
            _move_bus(builder, (*path, "config", setting.name), member, layout)


def leave_out(builder: SettingsBuilder) -> None:
    """Leave out what leads elsewhere."""
    for name in _OUTWARD & builder.settings.keys():
        del builder.settings[name]


def _announce_inside(builder: SettingsBuilder) -> None:
    for setting in tuple(builder.settings.values()):
        if setting.name in _ANNOUNCING and setting.word:
            builder.set(setting.name, (ANNOUNCED,))
            builder.set("bind", (*builder.settings["bind"].lines[0], ANNOUNCED))
        elif "announce-" in setting.name and not setting.name.endswith("announce-hostnames"):
            # Nobody leads another port, or a cluster's addresses, to this process.
            del builder.settings[setting.name]


def _move_bus(builder: SettingsBuilder, path: Path, member: Member, layout: Layout) -> None:
    own = builder.settings.get(_BUS)
    if own or _has_bus_whole(builder.description.deployment):
        place = f"{member.machine}:{_bus(_whole(own.word) if own else 0, member.port)}"
        _move(builder, path, _BUS, place, layout)
    elif int(builder.settings["port"].word) + BUS_ABOVE > _HIGHEST:
        what = f"listens {BUS_ABOVE} above its port, and the ports that are free here are too high for that"
        builder.description.report(path, what, "say a 'version:' from 7.0 on, which takes a cluster-port of its own")


def _has_bus_whole(deployment: Deployment) -> bool:
    named = deployment.version
    versions = (table.nearest_version(deployment.engine, named),) if named else table.versions(deployment.engine)
    return all(_BUS in table.catalogue(deployment.engine, each) for each in versions)


def _move(builder: SettingsBuilder, path: Path, name: str, place: str, layout: Layout) -> None:
    machine, _, port = place.rpartition(":")
    try:
        builder.set(name, (layout.endpoint(machine, "", int(port)).port,))
    except KeyError:
        what = "is made of variables, and a sandbox moves ports before it knows them"
        builder.description.report(path, what, "write the number to try it in a sandbox")


def _bus(own: int, port: int) -> int:
    return own or port + BUS_ABOVE


def _number(config: dict[str, tuple[str | VaultText, ...]], name: str) -> int:
    return _whole(_text(config, name))


def _text(config: dict[str, tuple[str | VaultText, ...]], name: str) -> str:
    text = (config.get(name) or ("",))[-1]
    return text if isinstance(text, str) else ""


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0
