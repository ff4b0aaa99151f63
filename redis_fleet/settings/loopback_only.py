"""What a sandbox changes of a description's own directives, so that its processes meet nobody outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from redis_fleet.description.members import Member
from redis_fleet.description.nodes import Path
from redis_fleet.description.schema import SentinelDescription, ServiceDescription
from redis_fleet.model import Setting
from redis_fleet.settings.builder import SettingsBuilder
from redis_fleet.settings.layout import Layout

ANNOUNCED = "127.0.1.1"
"""What processes of a sandbox announce that announce another address than their own: Linux has it on loopback, too."""

# Beside ``port``, which is moved with the process.
_LISTENING = "tls-port"
_ANNOUNCING = ("replica-announce-ip", "sentinel announce-ip")


def own_places(section: ServiceDescription | SentinelDescription, member: Member) -> Iterator[str]:
    """Yield ``machine:port`` of everything that a process listens on."""
    yield f"{member.machine}:{member.port}"
    for name, texts in section.config.items():
        if name.lower() == _LISTENING and (port := _port(texts[-1] if texts else "")):
            yield f"{member.machine}:{port}"


def keep_inside(builder: SettingsBuilder, path: Path, machine: str, layout: Layout) -> None:
    """Move sockets into the data folder, and ports and announced addresses to loopback."""
    for setting in tuple(builder.settings.values()):
        if setting.name in _ANNOUNCING and setting.word:
            builder.set(setting.name, (ANNOUNCED,))
            builder.set("bind", (*builder.settings["bind"].lines[0], ANNOUNCED))
        elif "announce-" in setting.name and not setting.name.endswith("announce-hostnames"):
            # Nobody leads another port, or a cluster's addresses, to this process.
            del builder.settings[setting.name]
        elif setting.name == "unixsocket" and setting.word:
            # Relative to its working folder, the data folder: whole paths of sockets have room for 107 bytes (unix(7)).
            builder.set(setting.name, (PurePosixPath(setting.word).name,))
        elif setting.name == _LISTENING and (port := _port(setting.word)):
            _move(builder, (*path, "config", setting.name), setting, machine, port, layout)


def _move(builder: SettingsBuilder, path: Path, setting: Setting, machine: str, port: int, layout: Layout) -> None:
    try:
        builder.set(setting.name, (layout.endpoint(machine, "", port).port,))
    except KeyError:
        what = "is made of variables, and a sandbox moves ports before it knows them"
        builder.description.report(path, what, "write the number to try it in a sandbox")


def _port(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() else 0
