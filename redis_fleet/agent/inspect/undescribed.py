"""Find the processes of a deployment on this machine that its description no longer has, running or stopped.

On a supervised machine a unit says whose it is (``X-Redis-Fleet-Deployment=NAME``, a line that systemd ignores); in a
sandbox all below its folder are. Where they listen and keep their data is in their own files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..access import Access
from ..conf.text import Line
from ..endpoint import Endpoint
from ..host.systemd import MARK
from ..login import directives, own_socket
from ..messages.kind import Kind
from ..messages.observation import Observe
from ..messages.process import ManagedProcess
from ..tls import Tls


def undescribed(request: Observe) -> list[ManagedProcess]:
    """Return each, without a password; its port is 0 when it has no file, and its folder and files are empty where
    that does not name them.
    """
    known = {key for each in request.processes for key in (each.name, each.configuration)}
    found = _by_units(request) if request.units and request.deployment else []
    if request.root:
        found += [(path, "") for path in _by_folders(request.root, request.kinds)]
    left = [(path, unit) for path, unit in found if not known & {path, Path(path).parent.name}]
    tls = next((each.access.tls for each in request.processes if each.access.tls), None)
    return [_process(path, unit, request.kinds, tls) for path, unit in left]


def _by_units(request: Observe) -> list[tuple[str, str]]:
    """Return configuration file and unit name of each unit of the deployment."""
    found = []
    pattern = Path(request.units)
    for path in sorted(pattern.parent.glob(pattern.name)):
        lines = _lines(path)
        commands = [line.partition("=")[2].split() for line in lines if line.startswith("ExecStart=")]
        if MARK + request.deployment in lines and commands and len(commands[-1]) > 1:
            found.append((commands[-1][1], path.name))
    return found


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return []


def _by_folders(root: str, kinds: Sequence[Kind]) -> list[str]:
    names = [name for kind in kinds for name in kind.files]
    return sorted(str(path) for name in names for path in Path(root).glob(f"*/{name}"))


def _process(path: str, unit: str, kinds: Sequence[Kind], tls: Tls | None) -> ManagedProcess:
    """``tls`` is spoken with a process whose file has no other port, as with its neighbours."""
    kind = next((each for each in kinds if Path(path).name in each.files), kinds[0])
    lines = {line.name: line for line in directives(path)}  # of two, the server takes the last
    return ManagedProcess(
        name=Path(path).parent.name,
        kind=kind,
        access=_access(lines, kind, tls),
        configuration=path,
        unit=unit,
        data=_word(lines, "dir"),
        log=_word(lines, "logfile"),
        pid=_word(lines, "pidfile"),
    )


def _access(lines: dict[str, Line], kind: Kind, tls: Tls | None) -> Access:
    place, port = _endpoint(lines, kind), _word(lines, "tls-port")
    if tls and not place.port and port.isdecimal() and int(port):
        return Access(Endpoint(_address(lines), int(port)), tls=tls, name=_address(lines))
    return Access(place)


def _endpoint(lines: dict[str, Line], kind: Kind) -> Endpoint:
    port = _word(lines, "port") or str(kind.port)
    number = int(port) if lines and port.isdecimal() else 0
    socket = "" if number else own_socket(lines.values())
    return Endpoint(socket, 0) if socket else Endpoint(_address(lines), number)


def _word(lines: dict[str, Line], name: str) -> str:
    return lines[name].words[0] if name in lines and lines[name].words else ""


def _address(lines: dict[str, Line]) -> str:
    """Return the first address that is not loopback, as it is the one that the others know; any will do else."""
    bound = [word.lstrip("-") for word in (lines["bind"].words if "bind" in lines else ())]
    bound = [word for word in bound if word not in ("", "*", "0.0.0.0", "::", "::*")]  # noqa: S104
    outer = [word for word in bound if not word.startswith("127.") and word != "::1"]
    return (outer or bound or ["127.0.0.1"])[0]
