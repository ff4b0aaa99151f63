"""Processes that somebody else set up: their files and unit are what the description says they are, and stay so."""

from __future__ import annotations

import re
from dataclasses import replace

from redis_fleet.description.nodes import Path
from redis_fleet.description.schema import AdoptedDescription
from redis_fleet.model import Paths
from redis_fleet.settings.builder import SettingsBuilder
from redis_fleet.settings.layout import Layout

_ABSOLUTE = re.compile(r"/[^\x00-\x1f]*[^/\x00-\x1f]\Z")
_UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]+\.service\Z")  # systemd.unit(5)


def is_adopted(described: AdoptedDescription | None, layout: Layout) -> bool:
    """Say whether processes keep a unit of their own; in a sandbox nothing has one."""
    return described is not None and layout.supervised


def paths(builder: SettingsBuilder, path: Path, described: AdoptedDescription) -> Paths:
    """Return the files of an adopted process, as its own settings name them; reports what cannot be one.

    Those that no setting names are empty.
    """
    configuration = _text(builder, (*path, "adopted", "configuration"), described.configuration)
    unit = _text(builder, (*path, "adopted", "unit"), described.unit)
    if configuration and not _ABSOLUTE.match(configuration):
        what = f"'{configuration}' is not the absolute path of a file"
        builder.description.report((*path, "adopted", "configuration"), what, "begin it with /")
    if unit and not _UNIT.match(unit):
        what = f"'{unit}' is not the name of a service unit"
        builder.description.report((*path, "adopted", "unit"), what, "write it as systemctl does: redis-server.service")
    return replace(named(builder), configuration=configuration, unit=unit)


def named(builder: SettingsBuilder) -> Paths:
    """Return data folder, log and pid file as the settings name them so far."""
    own = (builder.settings.get(name) for name in ("dir", "logfile", "pidfile"))
    return Paths("", *(setting.word if setting else "" for setting in own))


def _text(builder: SettingsBuilder, path: Path, raw: str) -> str:
    texts = builder.texts(path, (raw,))
    return texts[0] if texts else ""
