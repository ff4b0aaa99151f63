"""What hands a server's role over when its process ends: lines of its unit, the code that they run, what that knows."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from redis_fleet import agent
from redis_fleet.agent import bundle
from redis_fleet.agent.messages.unit_handover import (
    END,
    ENTRY,
    KNOWLEDGE,
    PYTHON,
    START,
    STOP,
    UnitHandover,
    folder_of,
    lock_of,
    stopping_of,
    waiting_command,
)
from redis_fleet.agent.secret import masked
from redis_fleet.model import Fleet, Process
from redis_fleet.render.artifacts import File, Folder
from redis_fleet.topology import identity
from redis_fleet.topology.service_access import described, target

_ROOT = Path(agent.__file__).parents[2]
_PACKAGE = agent.__name__
_HEAD = "SOURCES: dict[str, str] = {}\n"
_PATIENCE = 13
"""Seconds for which a unit's end waits for the one that replaces its server already: longer than that one takes."""
_TAIL = """

if __name__ == "__main__":
    install()
    from {module} import main_beside

    sys.exit(main_beside(__file__, sys.argv[1:]))
"""


def folder(process: Process) -> str:
    """Return the folder of what hands a process's role over."""
    return folder_of(process.unit)


def folders(process: Process) -> tuple[Folder, ...]:
    """Return the folders that must exist before the files are put; none for a process whose role is not handed over."""
    return (Folder(folder(process), "root", 0o700),) if process.hands_over else ()


def files(fleet: Fleet, process: Process) -> tuple[File, ...]:
    """Return the code and what it knows; nothing for a process whose role is not handed over."""
    if not process.hands_over:
        return ()
    knows = _knows(fleet, process).to_text().encode()
    return (
        File(_code(process), code().encode(), "program", process=process.name),
        File(_knowledge(process), knows, "knowledge", mode=0o600, process=process.name),
    )


def knowledge_masked(fleet: Fleet, process: Process) -> str:
    """Return what the code knows without its secrets, for showing it."""
    knows = _knows(fleet, process)
    secrets: list[str] = []
    knows.to_json(secrets)
    return masked(knows.to_text(), secrets) if secrets else knows.to_text()


def paths(process: Process) -> tuple[str, str]:
    """Return where the code is, and where what it knows is, whether or not they are wanted."""
    return _code(process), _knowledge(process)


def unit_lines(fleet: Fleet, process: Process) -> dict[str, list[str]]:
    """Return the lines of a unit by its section.

    A failure never fails the unit (``-``), and they run outside of its walls (``+``). The Sentinels of the machine stop
    after the server, as their votes are needed. A process that has ended by itself has no $MAINPID at ``stop``. What
    there is to do after the end is done by whoever waits for it; if nobody does, the lock is free.
    """
    if not process.hands_over:
        return {"unit": [], "service": []}
    call, mark = f"{' '.join(PYTHON)} {_code(process)}", stopping_of(process.unit)
    # Whatever else is busy waits: every millisecond is one in which clients cannot write.
    end = f"/usr/bin/nice -n -20 /usr/bin/flock --wait {_PATIENCE} {lock_of(process.unit)} {call} {END}"
    beside = [each.unit for each in fleet.sentinels if each.machine == process.machine and each.unit]
    return {
        "unit": [f"After={' '.join(beside)}"] if beside else [],
        "service": [
            f"ExecStartPre=-+/bin/sh -c 'rm -f {mark}; exec {call} {START}'",
            f"ExecStartPost=-+{shlex.join(waiting_command(process.unit, _code(process), '${MAINPID}'))}",
            f"""ExecStop=-+/bin/sh -c '[ -z "$$MAINPID" ] || {{ : >{mark}; exec {call} {STOP}; }}'""",
            f"ExecStopPost=-+{end}",
        ],
    }


def _code(process: Process) -> str:
    return f"{folder(process)}/handover.py"


def _knowledge(process: Process) -> str:
    return f"{folder(process)}/{KNOWLEDGE}"


def _knows(fleet: Fleet, process: Process) -> UnitHandover:
    service = fleet.service(process.service)
    values = described(fleet, service)
    # What the others log in as is nothing that it needs.
    aim = replace(target(fleet, service), logins=(), tls=identity.on_machine(process))
    return UnitHandover(aim, process.id, process.paths.configuration, process.unit, values)


@cache
def code() -> str:
    """Return the one file with all of the agent's modules that a unit's calls need."""
    head, found, rest = Path(bundle.__file__).read_text(encoding="utf-8").partition(_HEAD)
    if not found:
        raise ValueError(f"{bundle.__file__} has no place for sources")
    texts = "".join(f'    "{name}": """{_quoted(text)}""",\n' for name, text in sorted(sources().items()))
    return f"{head}{_HEAD[:-2]}\n{texts}}}\n{rest}{_TAIL.format(module=ENTRY)}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', r"\"\"\"")


@cache
def sources() -> dict[str, str]:
    """Return the texts of the modules that the calls need, as bundle.py names them."""
    found = {f"{_PACKAGE.rpartition('.')[0]}.__init__": ""}
    todo = [ENTRY]
    while todo:
        name = todo.pop()
        file, package = _file(name)
        key = f"{name}.__init__" if package else name
        if key not in found:
            found[key] = file.read_text(encoding="utf-8")
            todo += _imported(found[key], name if package else name.rpartition(".")[0])
    return found


def _file(module: str) -> tuple[Path, bool]:
    """Return the file of a module, and whether that is a package."""
    path = _ROOT.joinpath(*module.split("."))
    return (path / "__init__.py", True) if path.is_dir() else (path.with_suffix(".py"), False)


def _imported(text: str, package: str) -> Iterator[str]:
    """Yield the modules of the agent that a module imports, wherever it does, and their packages."""
    yield package
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            whole = ".".join([*above, *([node.module] if node.module else [])])
            for each in (whole, *(f"{whole}.{alias.name}" for alias in node.names)):
                if _file(each)[0].is_file():
                    yield each
