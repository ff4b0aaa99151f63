"""Find the processes of a deployment on this machine that its description no longer has, running or stopped.

On a supervised machine a unit says whose it is (``X-Redis-Fleet-Deployment=NAME``, a line that systemd ignores); in a
sandbox all below its folder are. Where they listen and keep their data is in their own files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..conf.text import Line
from ..host.systemd import MARK
from ..login import directives

Answer = dict[str, Any]
_FILES = ("redis.conf", "valkey.conf", "sentinel.conf")
_PORTS = {"server": 6379, "sentinel": 26379}


def strays(request: Answer) -> list[Answer]:
    """Return each as a process request without a password: name, kind, unit, configuration, data, log, pid, address
    and port (0: it has no file). ``data``, ``log`` and ``pid`` are empty where its file does not say.

    The request names ``processes``, the described ones, and either ``units`` (a glob of unit files) with
    ``deployment``, or ``root``, the folder of a sandbox machine.
    """
    known = {each[key] for each in request["processes"] for key in ("name", "configuration")}
    found = _by_units(request) if request.get("units") and request.get("deployment") else []
    if request.get("root"):
        found += [(path, "") for path in _by_folders(request["root"])]
    return [_stray(path, unit) for path, unit in found if not known & {path, Path(path).parent.name}]


def _by_units(request: Answer) -> list[tuple[str, str]]:
    """Return configuration file and unit name of each unit of the deployment."""
    found = []
    pattern = Path(request["units"])
    for path in sorted(pattern.parent.glob(pattern.name)):
        lines = _lines(path)
        commands = [line.partition("=")[2].split() for line in lines if line.startswith("ExecStart=")]
        if MARK + request["deployment"] in lines and commands and len(commands[-1]) > 1:
            found.append((commands[-1][1], path.name))
    return found


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return []


def _by_folders(root: str) -> list[str]:
    return sorted(str(path) for name in _FILES for path in Path(root).glob(f"*/{name}"))


def _stray(path: str, unit: str) -> Answer:
    kind = "sentinel" if path.endswith("/sentinel.conf") else "server"
    lines = {line.name: line for line in directives(path)}  # of two, the server takes the last
    port = _word(lines, "port") or str(_PORTS[kind])
    return {
        "name": Path(path).parent.name,
        "kind": kind,
        "unit": unit,
        "configuration": path,
        "data": _word(lines, "dir"),
        "log": _word(lines, "logfile"),
        "pid": _word(lines, "pidfile"),
        "address": _address(lines),
        "port": int(port) if lines and port.isdecimal() else 0,
        "password": None,
    }


def _word(lines: dict[str, Line], name: str) -> str:
    return lines[name].words[0] if name in lines and lines[name].words else ""


def _address(lines: dict[str, Line]) -> str:
    """Return the first address that is not loopback, as it is the one that the others know; any will do else."""
    bound = [word.lstrip("-") for word in (lines["bind"].words if "bind" in lines else ())]
    bound = [word for word in bound if word not in ("", "*", "0.0.0.0", "::", "::*")]  # noqa: S104
    outer = [word for word in bound if not word.startswith("127.") and word != "::1"]
    return (outer or bound or ["127.0.0.1"])[0]
