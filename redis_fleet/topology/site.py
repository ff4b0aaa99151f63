"""What every process gets whatever its kind: variables for its texts, addresses, and files of its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path
from redis_fleet.model import Endpoint, Paths, Secret
from redis_fleet.topology.layout import Layout
from redis_fleet.topology.sheet import Sheet


def variables(description: Description, machine: str, endpoint: Endpoint, name: str) -> Mapping[str, Any]:
    """Return what ``{{ … }}`` may name: the machine's own variables, its name, and the process's name and port."""
    entry = description.deployment.machines[machine]
    return {
        **entry.vars,
        **entry.connection,
        "address": endpoint.address,
        "machine": machine,
        "name": name,
        "port": str(endpoint.port),
        "inventory_dir": description.folder,
    }


def own_settings(
    sheet: Sheet, path: Path, bind: tuple[str, ...] | None, layout: Layout, endpoint: Endpoint, paths: Paths
) -> None:
    """Put the addresses, the port and the files of a process; then ``config`` may override dir and logfile."""
    # The machine's own address first: Redis 6 Sentinels connect from the first one, and from loopback reach nobody.
    default = tuple(dict.fromkeys((endpoint.address, "127.0.0.1")))
    addresses = sheet.texts((*path, "bind"), bind) if bind and layout.supervised else default
    sheet.put("bind", addresses or default)
    sheet.put("port", (endpoint.port,))
    sheet.put("daemonize", ("no" if layout.supervised else "yes",))
    sheet.put("supervised", ("systemd" if layout.supervised else "no",))
    sheet.put("pidfile", (paths.pid,))
    sheet.put("logfile", (paths.log,))
    sheet.put("dir", (paths.data,))


def exposure(sheet: Sheet, path: Path, password: Secret | None, reason: str | None) -> bool:
    """Say whether a process is open to the network on purpose; report it when it is so without the words."""
    section = sheet.description.deployment
    described = section.sentinel if path == ("sentinel",) else section.services[str(path[1])]
    if password or (described and described.password):
        return False
    reachable = [word for word in sheet.settings["bind"].lines[0] if not _loopback(word)]
    if not reachable:
        return False
    if reason is None:
        sheet.description.report(
            path,
            f"can be reached at {', '.join(reachable)} by anybody, without a password",
            "add 'password:', bind to 127.0.0.1 only, or say why it is safe in 'open-to-network: REASON'",
        )
    return True


def _loopback(word: str) -> bool:
    try:
        return ipaddress.ip_address(word.lstrip("-")).is_loopback
    except ValueError:
        return False
