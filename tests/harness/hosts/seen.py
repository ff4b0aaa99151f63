"""Runs on a test host: reads what to look at as JSON, prints its processes, roles, settings and files as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def _cli(process: dict[str, object], *words: str) -> list[str]:
    environment = {**os.environ, **({"REDISCLI_AUTH": str(process["password"])} if process["password"] else {})}
    command = ["redis-cli", "-h", str(process["address"]), "-p", str(process["port"]), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=10)
    return done.stdout.splitlines()


def _pairs(lines: list[str]) -> dict[str, str]:
    return dict(zip(lines[::2], lines[1::2]))  # noqa: B905


def _file(path: str) -> dict[str, object]:
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return {}
    return {"mode": oct(status.st_mode & 0o7777), "owner": status.st_uid, "at": status.st_mtime_ns}


def _seen(process: dict[str, object]) -> dict[str, object]:
    unit = str(process["unit"])
    shown = [
        "systemctl",
        "show",
        Path(unit).name,
        "--property",
        "MainPID,NRestarts,ActiveEnterTimestampMonotonic",
    ]
    started = subprocess.run(shown, capture_output=True, text=True, check=True).stdout.split()
    found = {"started": sorted(started), "files": {path: _file(path) for path in (unit, str(process["file"]))}}
    if process["sentinel"]:
        masters = {}
        for line in _cli(process, "INFO", "sentinel"):
            if line.startswith("master") and "name=" in line:
                name = line.split("name=")[1].split(",")[0]
                view = _pairs(_cli(process, "SENTINEL", "MASTER", name))
                masters[name] = {key: view.get(key) for key in ("ip", "port", "quorum", "down-after-milliseconds")}
        return {**found, "masters": masters}
    role = [word for word in _cli(process, "ROLE")[:3] if word]
    if role[:1] == ["master"]:
        role = ["master"]
    settings = _pairs(_cli(process, "CONFIG", "GET", "*"))
    return {**found, "role": role, "settings": {name: settings[name] for name in sorted(settings)}}


json.dump({process["name"]: _seen(process) for process in json.load(sys.stdin)}, sys.stdout)
