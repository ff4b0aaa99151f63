"""Look at one machine: packages, kernel, files, units and every process. Changes nothing; secrets come back as digests.

What could not be looked at is None or carries an ``error`` text; a process that does not answer is a finding, never an
exception.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Optional

from ..conf.acl_words import sealed_rules
from ..conf.text import parse_file
from ..host import memory
from ..host.digest import secret_digest
from ..host.files import fingerprint, text_of
from ..host.packages.providers import here
from ..host.proc import output_of, running_pid
from ..host.systemd import show
from ..login import SENSITIVE, accepts_unauthenticated, code_of, connect, count_passwords, default_way
from ..messages.observation import (
    HostState,
    MasterView,
    Observation,
    Observe,
    ObservedHost,
    ProcessFacts,
    Undescribed,
)
from ..messages.process import ManagedProcess
from ..protocol.resp import Connection, ReplyError, info, pairs
from ..runs import manual_masters
from ..runs.runlog import last_run
from .certificates import look
from .damage import damaged
from .undescribed import undescribed
from .users import links_of, with_users

_TIMEOUT = 2.0


def observe(request: Observe) -> Observation:
    """Return what a machine is like."""
    supervised = request.host is not None
    records = manual_masters.read(request.records) if request.records else {}
    return Observation(
        processes=observe_processes(request.processes, request.sensitive, supervised=supervised),
        host=host_state(request.host) if request.host else None,
        undescribed=tuple(observe_undescribed(request)),
        manual_masters=records,
        last_run=last_run(request.journal) if request.journal else "",
        memory=memory.usable(),
    )


def observe_undescribed(request: Observe) -> list[Undescribed]:
    """Return the processes of the deployment that the request does not name, see undescribed.py."""
    found = undescribed(request)
    units = show([each.unit for each in found if each.unit]) if request.host else {}
    sensitive = SENSITIVE.union(request.sensitive)
    return [_undescribed(each, sensitive, units.get(each.unit)) for each in found]


def _undescribed(process: ManagedProcess, sensitive: frozenset[str], unit: Optional[Mapping[str, str]]) -> Undescribed:
    enabled = (unit or {}).get("UnitFileState") == "enabled"
    return Undescribed(process, observe_process(process, sensitive, unit), enabled)


def observe_processes(
    processes: Iterable[ManagedProcess], sensitive: Iterable[str] = (), *, supervised: bool
) -> dict[str, ProcessFacts]:
    """Return what each process is like, by name."""
    wanted = list(processes)
    units = show([each.unit for each in wanted]) if supervised else {}
    hidden = SENSITIVE.union(sensitive)
    return {each.name: observe_process(each, hidden, units.get(each.unit)) for each in wanted}


def host_state(request: ObservedHost) -> HostState:
    """Return what a supervised machine is like beside its processes."""
    return HostState(
        system=_system(),
        packages=here().installed(request.packages),
        version=_binary_version(request.binary),
        default_units=show(list(request.default_units)),
        masked=tuple(path for path in request.masks if os.path.realpath(path) == "/dev/null"),
        kernel=_kernel(),
        container=Path("/run/systemd/container").exists(),
        fingerprints={path: fingerprint(path) for path in request.files},
        texts={path: text_of(path) for path in request.texts},
        sealed={path: _sealed(path) for path in request.sealed},
    )


def _sealed(path: str) -> Optional[str]:
    text = text_of(path)
    return None if text is None else secret_digest(text)


def _system() -> dict[str, str]:
    """Return ``id`` and ``version`` of the distribution (``debian``, ``12``; testing has its code name)."""
    text = text_of("/etc/os-release") or ""
    entries = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    plain = {name: value.strip("\"'") for name, value in entries.items()}
    return {"id": plain.get("ID", ""), "version": plain.get("VERSION_ID") or plain.get("VERSION_CODENAME", "")}


def _binary_version(binary: str) -> Optional[str]:
    """Return what ``redis-server --version`` says behind ``v=``."""
    for word in output_of([binary, "--version"]).split():
        if word.startswith("v="):
            return word[2:]
    return None


def _kernel() -> dict[str, Optional[str]]:
    huge = _read("/sys/kernel/mm/transparent_hugepage/enabled")
    return {
        "vm.overcommit_memory": _read("/proc/sys/vm/overcommit_memory"),
        "net.core.somaxconn": _read("/proc/sys/net/core/somaxconn"),
        "transparent_hugepage": huge[huge.find("[") + 1 : huge.find("]")] if huge else None,
    }


def _read(path: str) -> Optional[str]:
    text = text_of(path)
    return None if text is None else text.strip()


def observe_process(
    process: ManagedProcess, sensitive: frozenset[str], unit: Optional[Mapping[str, str]]
) -> ProcessFacts:
    """Return what one process is like; ``unit`` is what systemd says of it."""
    lines, file_error = _file(process.configuration, sensitive)
    found = ProcessFacts(
        lines=lines,
        file_error=file_error,
        unit=unit or {},
        pid=int(unit["MainPID"]) if unit else running_pid(process.pid, process.data),
        data=_data(process.data),
        free=_free(process.data),
        tls=look(process.certificates, process.access.endpoint) if process.certificates else None,
    )
    if not found.pid and found.deployed and not process.kind.monitors:
        found = replace(found, damaged=damaged(process))
    try:
        found = replace(found, open=accepts_unauthenticated(process, _TIMEOUT))
        connection, way = connect(process, _TIMEOUT)
        with connection:
            ask = _monitor if process.kind.monitors else _server
            found = replace(
                found, opened_by=default_way(process, _TIMEOUT) if way == "own" else way, as_own=way == "own"
            )
            found = ask(found, connection, sensitive)
            found = with_users(found, connection)
            found = replace(found, links=links_of(connection)) if process.access.user else found
            found = replace(found, passwords=count_passwords(connection), answers=True)
            return found if process.kind.monitors else replace(found, paused=_paused(connection))
    except ReplyError as error:
        return replace(found, error=str(error), error_code=code_of(error))
    except OSError as error:
        return replace(found, error=error.strerror or str(error))


def _server(found: ProcessFacts, connection: Connection, sensitive: frozenset[str]) -> ProcessFacts:
    config = pairs(connection.call("CONFIG", "GET", "*"))
    return replace(
        found,
        config={name: secret_digest(value) if name in sensitive else value for name, value in config.items()},
        role=connection.call("ROLE"),
        info=info(connection.call("INFO")),
    )


def _monitor(found: ProcessFacts, connection: Connection, sensitive: frozenset[str]) -> ProcessFacts:  # noqa: ARG001
    masters = {}
    for flat in connection.call("SENTINEL", "MASTERS"):
        master = pairs(flat)
        name = master["name"]
        masters[name] = MasterView(
            master,
            tuple(pairs(each) for each in connection.call("SENTINEL", "REPLICAS", name)),
            tuple(pairs(each) for each in connection.call("SENTINEL", "SENTINELS", name)),
            _quorum(connection, name),
        )
    return replace(found, masters=masters, info=info(connection.call("INFO")))


def _quorum(connection: Connection, name: str) -> str:
    try:
        return str(connection.call("SENTINEL", "CKQUORUM", name))
    except ReplyError as error:
        return str(error)


def _data(folder: str) -> tuple[str, ...] | None:
    """Return the names in a data folder; None when there is none."""
    try:
        return tuple(sorted(os.listdir(folder)))
    except OSError:
        return None


def _free(folder: str) -> int | None:
    try:
        room = os.statvfs(folder)
    except OSError:
        return None
    return room.f_bavail * room.f_frsize


def _paused(connection: Connection) -> bool:
    """Say whether writes are held back; the connection is of no use afterwards, so this is the last question.

    PFCOUNT changes nothing of a key that nobody has, and waits for the end of a pause as a write does (from 6.2; in
    6.0 a pause holds everything back).
    """
    try:
        connection.call("PFCOUNT", "redis-fleet:nobody-has-this")
    except ReplyError:
        return False
    except socket.timeout:
        return True
    return False


def _file(path: str, sensitive: frozenset[str]) -> tuple[tuple[tuple[str, ...], ...] | None, str | None]:
    """Return the directives of a configuration file, secrets as digests (None: there is none), and what is wrong."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
        lines = parse_file(text)
    except OSError:
        return None, None
    except ValueError as error:
        return (), str(error)
    return tuple((line.name, *without_secrets(line.name, line.words, sensitive)) for line in lines), None


def without_secrets(name: str, words: tuple[str, ...], sensitive: Iterable[str]) -> list[str]:
    """Return the words of a directive, digests in place of those that are secret."""
    if name == "sentinel" and words and words[0].lower() in sensitive:
        return [*words[:-1], secret_digest(words[-1])]
    if name == "user":
        return [*words[:1], *sealed_rules(words[1:])]
    if name in sensitive and words:
        return [secret_digest(words[0])] if len(words) == 1 else [words[0], secret_digest(" ".join(words[1:]))]
    return list(words)
