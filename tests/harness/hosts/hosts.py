"""Sets of test hosts: start them on a network of their own, reach them over SSH, cut their power, take them down."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import random
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from redis_fleet.loopback import free_ports
from tests.harness.hosts import images
from tests.harness.hosts.engine import CACHE, ROOT, Engine, EngineError, find

USER = "ops"
BOOT_SECONDS = 60.0
# A unit that hands over before it is stopped has 30 s for it.
_ORDERLY = 60.0
_FIRST = 11  # the first machine's last octet; the lower ones are the engine's
_SSH_OPTIONS = (
    "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes "
    # A shared connection to a host that lost its power must be noticed, not waited for.
    "-o ConnectTimeout=5 -o ServerAliveInterval=2 -o ServerAliveCountMax=3"
)


@dataclass(frozen=True)
class Host:
    """One running test host: its machine name, its own address, its container, and where its SSH answers."""

    machine: str
    address: str
    container: str
    ssh_host: str
    ssh_port: int

    @property
    def variables(self) -> dict[str, object]:
        """The Ansible variables that reach it."""
        return {
            "ansible_host": self.ssh_host,
            "ansible_port": self.ssh_port,
            "ansible_user": USER,
            "ansible_ssh_private_key_file": str(_key()),
            "ansible_ssh_common_args": _SSH_OPTIONS,
        }

    @property
    def ssh_command(self) -> list[str]:
        """The command that opens a shell there; append what to run."""
        return ["ssh", "-i", str(_key()), "-p", str(self.ssh_port), *_SSH_OPTIONS.split(), f"{USER}@{self.ssh_host}"]


def up(name: str, machines: list[str], release: str = "12", subnet: str | None = None) -> dict[str, Host]:
    """Start one host for each machine and wait until all answer over SSH; a set of that name is replaced.

    Without ``subnet`` a free /24 is chosen. Addresses are fixed: a host keeps its own when it is switched off and on.
    Raises EngineError when the engine refuses or a host does not answer within BOOT_SECONDS.
    """
    engine = find()
    image = images.ensure(engine, release)
    down(name)
    network = _label(name)
    chosen = _create_network(engine, network, subnet)
    addresses = [str(chosen[_FIRST + index]) for index in range(len(machines))]
    with ThreadPoolExecutor(max_workers=8) as pool:
        started = pool.map(lambda pair: _start(engine, network, image, *pair), zip(machines, addresses, strict=True))
        hosts = {host.machine: host for host in started}
    state = {machine: asdict(host) for machine, host in hosts.items()}
    _state(name).write_text(json.dumps(state, indent=2) + "\n")
    return hosts


def down(name: str) -> None:
    """Remove a set's containers and network; nothing happens when there are none."""
    engine = find()
    network = _label(name)
    found = engine.run("ps", "--all", "--quiet", "--filter", f"label=redis-fleet.set={network}").split()
    if found:
        engine.run("rm", "--force", "--volumes", *found)
    if engine.succeeds("network", "inspect", network):
        engine.run("network", "rm", network)
    _state(name).unlink(missing_ok=True)


def load(name: str) -> dict[str, Host]:
    """Return the hosts of a set that is up; raises EngineError when it is not."""
    try:
        state = json.loads(_state(name).read_text())
    except FileNotFoundError:
        raise EngineError(f"no hosts {name!r} are up in this checkout") from None
    return {machine: Host(**fields) for machine, fields in state.items()}


def power_off(host: Host) -> None:
    """Stop a host at once, without any shutdown of its services; its disk stays as it is."""
    find().run("kill", "--signal", "KILL", host.container)
    _await_state(host, "exited")


def shut_down(host: Host) -> None:
    """Stop a host as its own ``systemctl poweroff`` does, and wait until it is off."""
    find().run("exec", host.container, "systemctl", "poweroff", "--no-block")
    _await_state(host, "exited", _ORDERLY)


def power_on(host: Host) -> None:
    """Start a host that was switched off and wait until it answers over SSH."""
    find().run("start", host.container)
    _await_ssh(host)


def freeze(host: Host) -> None:
    """Let nothing run on a host; its connections stay."""
    find().run("pause", host.container)


def thaw(host: Host) -> None:
    """Let a host that was frozen go on."""
    find().run("unpause", host.container)


def pid(host: Host) -> int:
    """Return the host's PID 1 as this machine sees it, for ``nsenter --target PID --net``."""
    return int(find().run("inspect", "--format", "{{.State.Pid}}", host.container))


def ssh(host: Host, command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a shell command on a host as its unprivileged user."""
    arguments = [*host.ssh_command, "-o", "BatchMode=yes", "--", command]
    return subprocess.run(
        arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout
    )


def _start(engine: Engine, network: str, image: str, machine: str, address: str) -> Host:
    """Run one container, bring in the public key, and wait for its SSH."""
    container = f"{network}-{machine}"
    port = 22 if engine.direct else free_ports(1)[0]
    publish = [] if engine.direct else ["--publish", f"127.0.0.1:{port}:22"]
    engine.run(
        *("run", "--detach", "--name", container, "--hostname", machine, "--label", f"redis-fleet.set={network}"),
        *("--network", network, "--ip", address, *publish, *engine.run_flags, image),
    )
    public = _key().with_suffix(".pub").read_text()
    engine.run("exec", "--interactive", container, "tee", f"/etc/ssh/authorized_keys.d/{USER}", stdin=public)
    host = Host(machine, address, container, address if engine.direct else "127.0.0.1", port)
    _await_ssh(host)
    return host


def _await_ssh(host: Host) -> None:
    """Wait until a login works; raises EngineError with the last refusal after BOOT_SECONDS."""
    refusal = ""
    for _ in _attempts(BOOT_SECONDS):
        if _answers(host):
            with suppress(subprocess.TimeoutExpired):
                done = ssh(host, "true", timeout=10)
                if done.returncode == 0:
                    return
                refusal = done.stderr.strip()
    raise EngineError(f"{host.machine} ({host.ssh_host}:{host.ssh_port}): no SSH in {BOOT_SECONDS:g} s; {refusal}")


def _answers(host: Host) -> bool:
    """Tell whether something accepts connections on the SSH port: cheaper than a login that must fail."""
    try:
        socket.create_connection((host.ssh_host, host.ssh_port), timeout=1).close()
    except OSError:
        return False
    return True


def _await_state(host: Host, wanted: str, seconds: float = 20) -> None:
    """Wait until the engine reports a container's state; raises EngineError when it does not in time."""
    for _ in _attempts(seconds):
        if find().run("inspect", "--format", "{{.State.Status}}", host.container) == wanted:
            return
    raise EngineError(f"{host.container} is not {wanted}")


def _attempts(seconds: float) -> Iterator[int]:
    """Yield until the time is over, a tenth of a second apart: a bounded wait."""
    end = time.monotonic() + seconds
    attempt = 0
    while time.monotonic() < end:
        yield attempt
        attempt += 1
        time.sleep(0.1)


def _create_network(engine: Engine, network: str, subnet: str | None) -> ipaddress.IPv4Network:
    """Create a network on the given subnet, or on the first private /24 that the engine accepts."""
    candidates = [subnet] if subnet else [f"10.{random.randint(100, 250)}.{third}.0/24" for third in range(20, 40)]
    refusal: Mapping[str, str] = {}
    for candidate in candidates:
        try:
            engine.run("network", "create", "--subnet", candidate, network)
        except EngineError as error:
            refusal = {candidate: str(error)}
        else:
            return ipaddress.IPv4Network(candidate)
    raise EngineError(f"no network for the test hosts: {refusal}")


def _label(name: str) -> str:
    """Return the engine-wide name of a set: two checkouts on one machine do not meet."""
    return f"rf-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}-{name}"


def _state(name: str) -> Path:
    """Return the file that says what is up."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE / f"{name}.json"


def _key() -> Path:
    """Return the private key of this checkout's hosts, making the pair at the first use."""
    key = CACHE / "id_ed25519"
    with images.alone("key"):
        if not key.exists():
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test-hosts", "-f", str(key)], check=True
            )
    return key
