"""What the tests need of the machine they run on: installed as root on Debian, else named and left out."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

from tests.harness.engines import lab
from tests.harness.hosts.engine import EngineError, find
from tests.harness.parts import ROOT

_HELPERS = Path("/usr/lib/podman")  # where Debian puts podman's network programs, outside PATH
_HOST_PACKAGES = {
    "podman": "podman",
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "iptables": "iptables",
    str(_HELPERS / "netavark"): "netavark",
    str(_HELPERS / "aardvark-dns"): "aardvark-dns",
}
_ENGINES_PACKAGES = {"mmdebstrap": "mmdebstrap"}
_SSH_PACKAGES = {"ssh": "openssh-client", "ssh-keygen": "openssh-client"}
_COMPILER_PACKAGES = {"gcc": "gcc"}
_PACKET_PACKAGES = {"iptables": "iptables", "nsenter": "util-linux"}
_EMULATOR_PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "ssh": "openssh-client",
}
# On Debian the server is the program of redis-tools under another name. The package redis-server would add no more
# than a service, which starts at once: not on a machine that only wants to run tests.
_REDIS_PACKAGES = {"redis-check-rdb": "redis-tools", "redis-cli": "redis-tools"}
# The programs without the package mariadb-server, whose service would start at once.
_MARIADB_PACKAGES = {"/usr/sbin/mariadbd": "mariadb-server-core", "my_print_defaults": "mariadb-client-core"}
_SAID = {
    "ssh": "no ssh; install openssh-client",
    "compiler": "no compiler for a module of the tests' own; install gcc",
}

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def provide(needs: Iterable[str], say: Callable[[str], None]) -> dict[str, str]:
    """Install what is missing where that is possible, and return what is still missing: need → reason.

    Needs are ``redis`` (a server binary), ``engines`` (every engine of every release: built, and what cannot be had is
    only said, for its tests skip), ``mariadb`` (a database's programs) and ``browser`` (both: without them their tests
    skip), ``ssh`` (a client), ``hosts`` (a container engine), ``direct`` (this machine reaches the hosts' own
    addresses), ``packets`` (it may drop what they send), ``compiler`` (a module of the tests' own is made) and
    ``emulator`` (machines are emulated).
    """
    wanted = set(needs)
    packages = sorted({package for need in wanted for package in _missing_packages(need)})
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing {', '.join(packages)}")
        _install(packages)
    _name_server()
    for name, reason in lab.provide().items() if "engines" in wanted else ():
        say(f"no engines from {name}: {reason}; their tests are skipped")
    lacking = {need: _still_missing(need) for need in wanted}
    return {need: reason for need, reason in lacking.items() if reason}


def _missing_packages(need: str) -> list[str]:
    """Return the Debian packages that a need lacks here."""
    if need == "hosts" and _engine_problem() == "" and shutil.which("podman") is None:
        return []  # docker serves
    if need == "redis" and shutil.which("redis-server"):
        return []
    if need == "engines" and lab.complete():
        return []
    if need == "browser":
        return [] if any(map(shutil.which, _BROWSERS)) else ["chromium"]
    table = {
        "hosts": _HOST_PACKAGES,
        "ssh": _SSH_PACKAGES,
        "redis": _REDIS_PACKAGES,
        "engines": _ENGINES_PACKAGES,
        "packets": _PACKET_PACKAGES,
        "compiler": _COMPILER_PACKAGES,
        "emulator": _EMULATOR_PACKAGES,
        "mariadb": _MARIADB_PACKAGES,
    }
    return [package for program, package in table.get(need, {}).items() if not shutil.which(program)]


def _install(packages: list[str]) -> None:
    """Install packages without a word, unless that fails: then with every word, and this ends."""
    _apt("update", "-qq")
    # One that this distribution does not have is missed later, by what needs it.
    known = [each for each in packages if _known(each)]
    if known:
        _apt("install", "-y", "-qq", "--no-install-recommends", *known)


def _known(package: str) -> bool:
    done = subprocess.run(["apt-cache", "show", package], stdin=DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


def _apt(*words: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *words], stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environment, check=False, text=True
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\napt-get {' '.join(words)} ended with exit code {done.returncode}")


def _name_server() -> None:
    """Give the server program its name in .cache/bin, which is on the tests' PATH, unless it has it already."""
    program = shutil.which("redis-check-rdb")
    if program and not shutil.which("redis-server"):
        link = ROOT / ".cache" / "bin" / "redis-server"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(program)


def _still_missing(need: str) -> str:
    """Return why a need is not met and what to install, or nothing."""
    if need == "hosts":
        return _engine_problem()
    if need in _SAID and _missing_packages(need):
        return _SAID[need]
    if need == "direct" and not _engine_problem() and not find().direct:
        return "the test hosts' network is not reached from this machine; run as root on Linux"
    if need == "emulator" and _missing_packages(need):
        return f"emulating a machine needs {', '.join(_missing_packages(need))}"
    if need == "packets" and (os.geteuid() or _missing_packages(need)):
        return "dropping packets needs root, nsenter and iptables"
    return ""  # without a Redis of this machine the live tests use the server of the sandbox extra


def _engine_problem() -> str:
    try:
        find()
    except EngineError as error:
        return str(error)
    return ""
