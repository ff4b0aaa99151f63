"""Fleet → files. Contacts nothing; what a first deploy writes is byte for byte this."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import basename, dirname
from typing import Any

import jinja2

from redis_fleet import kinds
from redis_fleet.agent.conf.text import quote
from redis_fleet.agent.secret import MASK
from redis_fleet.model import USUAL_RESTART_DELAY, Fleet, Process, Setting
from redis_fleet.platform import default, installation
from redis_fleet.project import TEMPLATES
from redis_fleet.render import handover, tls_files
from redis_fleet.render.artifacts import File, Folder
from redis_fleet.render.unit_needs import own_folders, unit_needs
from redis_fleet.settings.shares import in_words

_SOMAXCONN = 4096


def _environment() -> jinja2.Environment:
    # Nothing here becomes HTML; escaping would change passwords.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )


_templates = _environment()


@cache
def _template(name: str) -> jinja2.Template:
    # Asked directly, the environment would look at the file again each time.
    return _templates.get_template(name)


def machine_files(fleet: Fleet, machine: str) -> Iterator[File]:
    """Yield every file of one machine: kernel settings first, then each process's configuration and unit."""
    if fleet.sandbox is None:
        yield from kernel_files(fleet, machine)
    for process in fleet.on(machine):
        yield from process_files(fleet, process)


def process_files(fleet: Fleet, process: Process) -> Iterator[File]:
    """Yield the configuration file of a process and, on a machine with systemd, its unit."""
    owner = "" if fleet.sandbox else installation(fleet.engine).user
    mode = 0o600 if fleet.sandbox else 0o640
    content = configuration(fleet, process).encode()
    yield File(process.paths.configuration, content, "configuration", owner, mode, process.name)
    if has_unit_file(process):
        yield from unit_files(fleet, process)


def unit_files(fleet: Fleet, process: Process) -> Iterator[File]:
    """Yield the unit of a process, behind the files that its lines name."""
    yield from handover.files(fleet, process)
    yield unit_file(fleet, process)


def has_unit_file(process: Process) -> bool:
    """Say whether redis-fleet writes the unit of a process: not in a sandbox, and not for one that was adopted."""
    return bool(process.paths.unit) and not process.adopted


def unit_file(fleet: Fleet, process: Process) -> File:
    """Return the unit of a process on a machine with systemd."""
    text = _template(kinds.of(process).unit_template).render(_unit(fleet, process))
    return File(process.paths.unit, text.encode(), "unit", process=process.name)


def process_folders(fleet: Fleet, process: Process) -> Iterator[Folder]:
    """Yield the folders that must exist before a process starts."""
    owner = "" if fleet.sandbox else installation(fleet.engine).user
    mode = 0o700 if fleet.sandbox else 0o750
    shared = process.adopted
    yield Folder(dirname(process.paths.configuration), owner, mode, shared)
    if process.paths.data:
        yield Folder(process.paths.data, owner, mode, shared)
    if process.paths.log:
        yield Folder(dirname(process.paths.log), owner, mode, shared=True)
    yield from tls_files.folders(fleet, process)
    yield from handover.folders(process)


def configuration(fleet: Fleet, process: Process, *, masked: bool = False) -> str:
    """Return the text of a redis.conf or sentinel.conf; ``masked`` hides secrets, for showing it."""
    kind = kinds.of(process)
    groups: dict[str, list[str]] = {heading: [] for heading in kind.headings()}
    for setting in process.settings:
        groups.setdefault(kind.heading(fleet.engine, setting), []).extend(_lines(setting, masked))
    sections = [{"heading": heading, "lines": lines} for heading, lines in groups.items() if lines]
    return _template(kind.template).render(title=_title(fleet, process), sections=sections)


def _lines(setting: Setting, masked: bool) -> list[str]:
    if not setting.held:
        return [f'{setting.name} ""']
    if setting.share and setting.share.of is None:
        raise ValueError(f"{setting.name} is {in_words(setting)}, which nobody has asked")
    if masked and setting.secret:
        shown = tuple((*map(str, words[:1]), MASK) if len(words) > 1 else (MASK,) for words in setting.held)
    else:
        shown = setting.reveal()
    return [" ".join((setting.name, *map(quote, words))) for words in shown]


def _title(fleet: Fleet, process: Process) -> str:
    return f"{kinds.of(process).title(fleet.engine)} {process.name} on {process.machine}, deployment {fleet.name}"


def _unit(fleet: Fleet, process: Process) -> dict[str, Any]:
    kind, platform = kinds.of(process), default(fleet.engine)
    engine = platform.engines[fleet.engine]
    delay = process.restart_delay
    paths = process.paths
    needs = unit_needs(process, platform, engine)
    return {
        "title": _title(fleet, process),
        "deployment": fleet.name,
        "unit_type": kind.unit_type,
        "executable": engine.binaries[kind.binary],
        "program": engine.program,
        "libraries": platform.libraries,
        "needs": needs,
        "configuration": paths.configuration,
        "restart": "no" if delay is None else "always",
        "restart_delay": [] if delay is None else [f"RestartSec={delay:g}"],
        "hold_off": [_hold_off(delay)] if delay and delay != USUAL_RESTART_DELAY else [],
        "user": engine.user,
        "runtime_directory": basename(dirname(paths.pid)),
        "handover": handover.unit_lines(fleet, process),
        "stop": [_STOP] if kind.keeps_data else [],
        "writable": (*own_folders(process), *needs.writable),
    }


# A server that writes its first append-only file drops a SIGTERM, and systemd sends but one.
_AGAIN = "for _ in 0 1 2 3 4 5 6 7 8 9; do sleep 0.1; kill -0 $$MAINPID || exit 0; done"
_STOP = f"ExecStop=-+/bin/sh -c 'while kill -TERM $$MAINPID; do {_AGAIN}; done 2>/dev/null'"


def _hold_off(delay: float) -> str:
    """Keep a process down after a quick reboot as long as after a crash: systemd's RestartSec does not count there."""
    seconds = int(delay)
    script = f'read -r up rest </proc/uptime; [ "$${{up%%.*}}" -ge {seconds} ] || exec sleep {seconds}'
    return f"ExecStartPre=+/bin/sh -c '{script}'"


def _number(process: Process, name: str) -> int:
    setting = process.setting(name)
    return int(setting.lines[0][0]) if setting else 0


def kernel_settings(fleet: Fleet, machine: str) -> tuple[tuple[str, str], ...]:
    """Return the sysctl names and values that the processes of a machine want; an adopted machine stays as it is."""
    if fleet.keeps_setup(machine):
        return ()
    backlog = max((_number(process, "tcp-backlog") for process in fleet.on(machine)), default=0)
    return (("vm.overcommit_memory", "1"), ("net.core.somaxconn", str(max(_SOMAXCONN, backlog))))


def kernel_files(fleet: Fleet, machine: str) -> Iterator[File]:
    """Yield the files that keep the kernel's settings over a reboot."""
    if fleet.keeps_setup(machine):
        return
    kernel = kernel_settings(fleet, machine)
    sysctl = _template("sysctl.conf.j2").render(kernel=kernel)
    yield File("/etc/sysctl.d/60-redis-fleet.conf", sysctl.encode(), "kernel")
    tmpfiles = _template("tmpfiles.conf.j2").render()
    yield File("/etc/tmpfiles.d/redis-fleet.conf", tmpfiles.encode(), "kernel")


def write(fleet: Fleet, folder: Path) -> list[Path]:
    """Write one folder a machine below ``folder``, secrets readable by the owner only; returns the files written."""
    written = []
    for machine in fleet.machines:
        root = str(folder / machine)
        for file in machine_files(fleet, machine):
            target = root + file.path
            _write(target, file.content, 0o600 if file.purpose in ("configuration", "knowledge") else 0o644)
            written.append(Path(target))
    return written


def _write(target: str, content: bytes, mode: int) -> None:
    """Write a file and, where it is missing, its folder; an old file gets ``mode`` before the new content."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        handle = os.open(target, flags, mode)
    except FileNotFoundError:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(target, flags, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        file.write(content)
