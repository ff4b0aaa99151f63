"""The container engine under the test hosts: podman or docker, whichever works here."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CACHE = ROOT / ".cache" / "hosts"

# systemd as PID 1 needs to mount its own cgroup tree. Docker's --privileged would also ask for CAP_SYS_RESOURCE, which
# a machine that is itself a container may not have, so its parts are named one by one.
_PODMAN_FLAGS = ("--systemd=always", "--privileged", "--cgroupns=private")
_DOCKER_FLAGS = (
    "--cap-add=ALL",
    "--cap-drop=SYS_RESOURCE",
    "--security-opt=systempaths=unconfined",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--cgroupns=private",
    "--tmpfs=/run",
    "--tmpfs=/run/lock",
)


class EngineError(Exception):
    """The engine is missing or one of its commands failed; the message carries what it printed."""


@dataclass(frozen=True)
class Engine:
    """A working container engine: its command, how to run a host with it, and whether hosts are reached directly.

    ``direct`` is True where a container's own address answers from this machine. ``environment`` holds the whole
    environment for the engine's commands.
    """

    command: str
    run_flags: tuple[str, ...]
    direct: bool
    environment: Mapping[str, str] = field(repr=False)

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        """Run one engine command and return its output, stripped; raises EngineError when it fails."""
        try:
            done = subprocess.run(
                [self.command, *arguments],
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout,
                env=dict(self.environment),
            )
        except subprocess.TimeoutExpired as late:
            raise EngineError(f"{self.command} {' '.join(arguments[:3])}: no answer in {timeout:g} s") from late
        if done.returncode:
            raise EngineError(f"{self.command} {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def succeeds(self, *arguments: str, timeout: float = 120) -> bool:
        """Run one engine command for its exit code alone."""
        try:
            self.run(*arguments, timeout=timeout)
        except EngineError:
            return False
        return True


@functools.cache
def find() -> Engine:
    """Return the engine named by REDIS_FLEET_ENGINE, else the first of podman and docker that answers; asked once.

    Raises EngineError, with what to install, when none does.
    """
    wanted = os.environ.get("REDIS_FLEET_ENGINE")
    for command in [wanted] if wanted else ["podman", "docker"]:
        if shutil.which(command):
            engine = _docker() if Path(command).name == "docker" else _podman(command)
            if engine.succeeds("info", timeout=30):
                return engine
    raise EngineError(
        f"REDIS_FLEET_ENGINE={wanted} does not answer; unset it or start that engine"
        if wanted
        else "no container engine answers; install podman (with netavark, aardvark-dns and runc) or start docker"
    )


def _podman(command: str) -> Engine:
    """Describe podman; rootless networks cannot be reached from outside, so only root talks to hosts directly."""
    environment = dict(os.environ)
    if _old_cgroups() or not _may_raise_limits():
        environment.setdefault("CONTAINERS_CONF", str(HERE / "containers.conf"))
    direct = sys.platform == "linux" and os.geteuid() == 0
    return Engine(command, _PODMAN_FLAGS, direct, environment)


def _docker() -> Engine:
    """Describe docker; on Linux with a system daemon the bridge is on this machine, elsewhere it is inside a VM."""
    direct = sys.platform == "linux" and Path("/var/run/docker.sock").exists() and "DOCKER_HOST" not in os.environ
    return Engine("docker", _DOCKER_FLAGS, direct, dict(os.environ))


def _old_cgroups() -> bool:
    """Tell whether this machine's cgroup hierarchy is not (only) the unified one."""
    return sys.platform == "linux" and not Path("/sys/fs/cgroup/cgroup.controllers").exists()


def _may_raise_limits() -> bool:
    """Tell whether root here holds CAP_SYS_RESOURCE (bit 24, capabilities(7)); a non-root user needs no such thing."""
    status = Path("/proc/self/status")
    if os.geteuid() != 0 or not status.exists():
        return True
    bounding = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("CapBnd"))
    return bool(int(bounding, 16) >> 24 & 1)
