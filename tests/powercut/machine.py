"""An emulated machine whose power is cut by killing the emulator.

What the guest had flushed (fsync) is on the host's side of the virtual disk then, and so is what its kernel had written
out by itself; what was only in the guest's memory is gone. The disk itself loses nothing that it was given, so a real
one with a cache of its own can only be worse.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from redis_fleet.agent.protocol.resp import Connection, ReplyError
from redis_fleet.loopback import free_ports

_BOOT_SECONDS = 300.0
_PAUSE = 0.2
# Not KVM: inside of another machine it is not always sound.
_EMULATED = ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"]
_OPTIONS = [*_EMULATED, "-m", "1024", "-smp", "2", "-nodefaults", "-no-user-config"]


class PowerCutError(Exception):
    """The machine did not do what it must; the text says what."""


class Machine:
    """One machine on a disk of its own; a context manager that ends the emulator and removes the disk."""

    def __init__(self, folder: Path) -> None:
        """``folder`` has what build.sh makes."""
        self._folder = folder
        self._disk = folder / "powercut.qcow2"
        self._ssh_port, self.redis_port = free_ports(2)
        self._emulator: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Machine:
        self._disk.unlink(missing_ok=True)
        base = ["-b", str(self._folder / "root.img"), "-F", "raw"]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *base, str(self._disk)], check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._disk.unlink(missing_ok=True)

    def boot(self) -> None:
        """Switch it on and wait until it takes ssh; raises PowerCutError."""
        forward = "".join(
            f",hostfwd=tcp:127.0.0.1:{mine}-:{its}" for mine, its in ((self._ssh_port, 22), (self.redis_port, 6379))
        )
        command = [
            "qemu-system-x86_64", *_OPTIONS, "-display", "none", "-serial", f"file:{self._folder / 'serial'}",
            "-kernel", str(self._folder / "vmlinuz"), "-initrd", str(self._folder / "initrd.img"),
            "-append", "root=/dev/vda rw console=ttyS0 quiet mitigations=off net.ifnames=0",
            "-drive", f"file={self._disk},if=virtio,format=qcow2,cache=writeback",
            "-netdev", f"user,id=n0{forward}", "-device", "virtio-net-pci,netdev=n0", "-device", "virtio-rng-pci",
        ]  # fmt: skip
        with (self._folder / "emulator.log").open("wb") as log:
            self._emulator = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait(lambda: self.run("true").returncode == 0, "it takes ssh")

    def cut(self) -> None:
        """Cut the power."""
        if self._emulator is not None:
            self._emulator.kill()
            self._emulator.wait()
            self._emulator = None

    def run(self, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command in it as root, with something on its standard input."""
        known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        key = ["-i", str(self._folder / "id_ed25519"), "-o", "ConnectTimeout=8", "-p", str(self._ssh_port)]
        command = ["ssh", *key, *known, "root@127.0.0.1", *words]
        return subprocess.run(command, input=given, capture_output=True, check=False, timeout=_BOOT_SECONDS)

    def client(self) -> Connection:
        """Return a connection to its server; raises OSError or ReplyError."""
        return Connection("127.0.0.1", self.redis_port, timeout=20.0)

    def answers(self) -> bool:
        """Whether its server answers and has loaded its data."""
        try:
            with self.client() as connection:
                return bool(connection.call("PING") == "PONG")
        except (OSError, ReplyError):
            return False

    def wait(self, done: Callable[[], bool], what: str) -> None:
        """Wait until something holds; raises PowerCutError when it does not in time, or the emulator ended."""
        deadline = time.monotonic() + _BOOT_SECONDS
        while not done():
            if self._emulator is not None and self._emulator.poll() is not None:
                raise PowerCutError(f"the emulator ended: {(self._folder / 'emulator.log').read_text()[-300:]}")
            if time.monotonic() > deadline:
                raise PowerCutError(f"not within {_BOOT_SECONDS:g} s: {what}")
            time.sleep(_PAUSE)
