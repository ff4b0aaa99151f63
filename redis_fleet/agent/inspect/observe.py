"""Look at one machine: packages, kernel, files, units and every process. Changes nothing; secrets come back sealed.

One request, one answer, both JSON-able. What could not be looked at is None or carries an ``error`` text; a process
that does not answer is a finding, never an exception.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from ..conf.text import parse_file
from ..host.digest import seal
from ..host.files import fingerprint, text_of
from ..host.packages.providers import here
from ..host.proc import output_of, running_pid
from ..host.systemd import show
from ..login import SENSITIVE, connect, count_passwords, open_to_strangers
from ..protocol.resp import Connection, ReplyError, info, pairs
from ..runs import manual_masters
from ..runs.runlog import last_run
from .undescribed import strays

Answer = dict[str, Any]
_TIMEOUT = 2.0


def look(request: Answer) -> Answer:
    """Return what a machine is like.

    The request names ``processes`` (name, kind, address, port, password, configuration, unit, data, log, pid),
    ``sensitive`` directive names to seal, ``supervised``; and for a supervised machine ``packages``, ``default_units``,
    ``binary`` and ``files`` (paths to fingerprint). It may name ``texts`` (paths of files to read, no secrets in them)
    and what finds the ``others``, see strays.py.
    """
    machine = look_at_machine(request) if request["supervised"] else {}
    return {
        "processes": look_at_processes(request),
        **machine,
        "others": look_at_others(request),
        "records": manual_masters.read(request["records"]) if request.get("records") else {},
        "last_run": last_run(request["journal"]) if request.get("journal") else "",
    }


def look_at_others(request: Answer) -> list[Answer]:
    """Return the processes of the deployment that the request does not name, see strays.py.

    Each has what is found of a described process, and name, kind, unit, configuration, ``data`` (the folder itself),
    log, ``pid_file``, address, port, and ``enabled``: whether its unit comes back after a reboot.
    """
    others = strays(request)
    units = show([each["unit"] for each in others if each["unit"]]) if request["supervised"] else {}
    sensitive = set(request["sensitive"]) | SENSITIVE
    return [_other(each, sensitive, units.get(each["unit"])) for each in others]


def _other(stray: Answer, sensitive: set, unit: Answer | None) -> Answer:  # type: ignore[type-arg]
    found = look_at(stray, sensitive, unit)
    places = {name: stray[name] for name in ("name", "kind", "configuration", "data", "log", "address", "port")}
    enabled = (unit or {}).get("UnitFileState") == "enabled"
    return {**found, **places, "unit": stray["unit"], "pid_file": stray["pid"], "enabled": enabled}


def look_at_processes(request: Answer) -> Answer:
    """Return what each process is like, by name."""
    units = show([each["unit"] for each in request["processes"]]) if request["supervised"] else {}
    sensitive = set(request["sensitive"]) | SENSITIVE
    return {each["name"]: look_at(each, sensitive, units.get(each["unit"])) for each in request["processes"]}


def look_at_machine(request: Answer) -> Answer:
    """Return what a supervised machine is like beside its processes."""
    return {
        "system": _system(),
        "packages": here().installed(request["packages"]),
        "version": _binary_version(request["binary"]),
        "default_units": show(request["default_units"]),
        "masked": [path for path in request["masks"] if os.path.realpath(path) == "/dev/null"],
        "kernel": _kernel(),
        "container": Path("/run/systemd/container").exists(),
        "fingerprints": {path: fingerprint(path) for path in request["files"]},
        "texts": {path: text_of(path) for path in request.get("texts", ())},
    }


def _system() -> Answer:
    """Return ``id`` and ``version`` of the distribution (``debian``, ``12``; testing has its code name)."""
    text = text_of("/etc/os-release") or ""
    entries = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    plain = {name: value.strip("\"'") for name, value in entries.items()}
    return {"id": plain.get("ID", ""), "version": plain.get("VERSION_ID") or plain.get("VERSION_CODENAME", "")}


def _binary_version(binary: str) -> str | None:
    """Return what ``redis-server --version`` says behind ``v=``."""
    for word in output_of([binary, "--version"]).split():
        if word.startswith("v="):
            return word[2:]
    return None


def _kernel() -> Answer:
    huge = _read("/sys/kernel/mm/transparent_hugepage/enabled")
    return {
        "vm.overcommit_memory": _read("/proc/sys/vm/overcommit_memory"),
        "net.core.somaxconn": _read("/proc/sys/net/core/somaxconn"),
        "transparent_hugepage": huge[huge.find("[") + 1 : huge.find("]")] if huge else None,
    }


def _read(path: str) -> str | None:
    text = text_of(path)
    return None if text is None else text.strip()


def look_at(wanted: Answer, sensitive: set, unit: Answer | None) -> Answer:  # type: ignore[type-arg]
    """Return what one process is like; ``password`` is the way in (see login.py), None when there was none.

    ``passwords`` is how many it takes, None when it does not say.
    """
    found: Answer = {
        "file": _file(wanted["configuration"], sensitive),
        "unit": unit,
        "pid": int(unit["MainPID"]) if unit else running_pid(wanted["pid"], wanted["data"]),
        "data": _data(wanted["data"]),
        "answers": False,
        "error": None,
        "open": None,
        "password": None,
        "passwords": None,
    }
    try:
        found["open"] = open_to_strangers(wanted, _TIMEOUT)
        connection, found["password"] = connect(wanted, _TIMEOUT)
        with connection:
            found.update(_sentinel(connection) if wanted["kind"] == "sentinel" else _server(connection, sensitive))
            found["passwords"] = count_passwords(connection)
            found["answers"] = True
    except (OSError, ReplyError) as error:
        found["error"] = getattr(error, "strerror", None) or str(error)
    return found


def _server(connection: Connection, sensitive: set) -> Answer:  # type: ignore[type-arg]
    config = pairs(connection.call("CONFIG", "GET", "*"))
    return {
        "config": {name: seal(value) if name in sensitive else value for name, value in config.items()},
        "role": connection.call("ROLE"),
        "info": info(connection.call("INFO")),
    }


def _sentinel(connection: Connection) -> Answer:
    masters = {}
    for flat in connection.call("SENTINEL", "MASTERS"):
        master = pairs(flat)
        name = master["name"]
        masters[name] = {
            "master": master,
            "replicas": [pairs(each) for each in connection.call("SENTINEL", "REPLICAS", name)],
            "sentinels": [pairs(each) for each in connection.call("SENTINEL", "SENTINELS", name)],
            "quorum": _quorum(connection, name),
        }
    return {"masters": masters, "info": info(connection.call("INFO"))}


def _quorum(connection: Connection, name: str) -> str:
    try:
        return str(connection.call("SENTINEL", "CKQUORUM", name))
    except ReplyError as error:
        return str(error)


def _data(folder: str) -> list[str] | None:
    """Return the names in a data folder; None when there is none."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return None


def _file(path: str, sensitive: set) -> Answer | None:  # type: ignore[type-arg]
    """Return mode, owner and directives of a configuration file, secrets sealed; None when there is none."""
    try:
        status = Path(path).stat()
        text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
        lines = parse_file(text)
    except OSError:
        return None
    except ValueError as error:
        return {"mode": "", "uid": 0, "lines": [], "error": str(error)}
    sealed = [[line.name, *_sealed(line.name, line.words, sensitive)] for line in lines]
    return {"mode": oct(stat.S_IMODE(status.st_mode)), "uid": status.st_uid, "lines": sealed, "error": None}


def _sealed(name: str, words: Any, sensitive: set) -> list[str]:  # type: ignore[type-arg]
    if name == "sentinel" and words and words[0].lower() in sensitive:
        return [*words[:-1], seal(words[-1])]
    if name in sensitive and words:
        # An ACL line holds passwords anywhere behind the user's name.
        return [seal(words[0])] if len(words) == 1 else [words[0], seal(" ".join(words[1:]))]
    return list(words)
